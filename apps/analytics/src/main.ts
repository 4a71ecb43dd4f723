import { runOnMessages } from '#edge';
import { program } from './program.js';

await runOnMessages(program, process.env);
