import { run } from '#edge';
import { TimekeeperModule } from './timekeeper.module.js';

await run({ name: 'timekeeper', module: () => TimekeeperModule }, process.env);
