import { run } from '#edge';
import { program } from './program.js';

await run(program, process.env);
