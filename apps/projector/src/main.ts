import { run } from '#edge';
import { ProjectorModule } from './projector.module.js';

await run({ name: 'projector', module: () => ProjectorModule }, process.env);
