import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commands, isCommand, overview } from './commands.js';
import { isExpected } from './expected.js';
import { UsageError, writeLine, type Surroundings } from './program.js';
import { projectFolder } from './project-folder.js';

/**
 * The command line. Answers the exit code: 0 done, 1 not done (the reason is on standard error), 2 wrong
 * arguments.
 */
export async function covenant(args: readonly string[], around: Surroundings): Promise<number> {
  const [name, ...rest] = args;
  const say = (text: string): Promise<void> => writeLine(around.stdout, text);
  const complain = (text: string): Promise<void> => writeLine(around.stderr, text);

  if (name === '--version' || name === '-v') {
    await say(await version());
    return 0;
  }
  if (name === undefined) {
    await complain(overview());
    return 2;
  }
  if (name === 'help' || name === '--help' || name === '-h') {
    const about = rest[0];
    if (about !== undefined && !isCommand(about)) return unknown(about);
    await say(about === undefined ? overview() : commands[about].help);
    return 0;
  }
  if (!isCommand(name)) return unknown(name);
  if (rest.includes('--help') || rest.includes('-h')) {
    await say(commands[name].help);
    return 0;
  }
  try {
    const body = await commands[name].load();
    return await body(rest, around);
  } catch (error) {
    if (error instanceof UsageError || isWrongArgument(error)) {
      await complain(`covenant ${name}: ${error.message}\n\n${commands[name].help}`);
      return 2;
    }
    if (isExpected(error)) {
      for (const line of error.message.split('\n')) await complain(`covenant ${name}: ${line}`);
      return 1;
    }
    throw error;
  }

  async function unknown(command: string): Promise<number> {
    await complain(`covenant: there is no command ${JSON.stringify(command)}\n\n${overview()}`);
    return 2;
  }
}

/** What util.parseArgs throws. */
function isWrongArgument(error: unknown): error is Error {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS_');
}

async function version(): Promise<string> {
  const text = await readFile(join(await projectFolder(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
