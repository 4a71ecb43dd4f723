import { APPS_APART, DeskProcess, SECRETS } from '../e2e/edge/desk-process.js';
import { freshDatabase } from './database.js';
import type { WalkedDesk } from './walk.js';

/** A desk with every app in a process of its own, on one database and whatever else is named. */
export async function openApart(
  named: Readonly<Partial<Record<'EVENTSTORE_URL', string>>>,
): Promise<WalkedDesk> {
  const database = await freshDatabase();
  const env = { ...SECRETS, ...named, DATABASE_URL: database.url };
  const processes = new Map(APPS_APART.map((app) => [app, DeskProcess.start({ app, env })] as const));
  const close = async (): Promise<void> => {
    const codes = await Promise.all([...processes.values()].map((one) => one.stop()));
    await database.drop();
    const failed = [...processes].filter(([, { err }], i) => codes[i] !== 0 || err !== '');
    if (failed.length > 0)
      throw new Error(failed.map(([app, { err, out }]) => `${app}: ${err || out.slice(-2_000)}`).join('\n'));
  };
  try {
    await Promise.all([...processes.values()].map((one) => one.address()));
    return { address: await processes.get('api')!.address(), authSecret: SECRETS.AUTH_SECRET, close };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}
