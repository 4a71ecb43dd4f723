import { run } from '#edge';
import { ApiModule } from './api.module.js';
import { describeApi } from './openapi/document.js';

await run({ name: 'api', module: () => ApiModule, prepare: describeApi }, process.env);
