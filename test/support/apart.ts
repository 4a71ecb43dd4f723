import { APPS_APART, DeskProcess, SECRETS } from '../e2e/edge/desk-process.js';
import { freshDatabase } from './database.js';
import type { WalkedDesk } from './walk.js';

const CONSUMERS: readonly string[] = ['analytics', 'knowledge-base'];

/** A desk with every app in a process of its own, on one database and whatever else is named. */
export async function openApart(
  named: Readonly<Partial<Record<'EVENTSTORE_URL' | 'KAFKA_BROKERS', string>>>,
): Promise<WalkedDesk> {
  const database = await freshDatabase();
  const shared = { ...SECRETS, ...named, DATABASE_URL: database.url };
  // Over Kafka consumers have neither the log's address nor the key of what is sealed: they need none.
  const { MASTER_KEY: _, EVENTSTORE_URL: __, ...published } = shared;
  const envOf = (app: (typeof APPS_APART)[number]): Record<string, string> =>
    named.KAFKA_BROKERS !== undefined && CONSUMERS.includes(app) ? published : shared;
  // Without Kafka there is nothing to relay to: consumers read the log themselves.
  const apps = APPS_APART.filter((app) => app !== 'relay' || named.KAFKA_BROKERS !== undefined);
  const processes = new Map(apps.map((app) => [app, DeskProcess.start({ app, env: envOf(app) })] as const));
  const close = async (): Promise<void> => {
    const codes = await Promise.all([...processes.values()].map((one) => one.stop()));
    await database.drop();
    const failed = [...processes].filter(([, { err }], i) => codes[i] !== 0 || err !== '');
    if (failed.length > 0)
      throw new Error(failed.map(([app, { err, out }]) => `${app}: ${err || out.slice(-2_000)}`).join('\n'));
  };
  try {
    const opened = [...processes].map(async ([app, one]) => [app, await one.address()] as const);
    const addresses = new Map(await Promise.all(opened));
    return { at: (part) => addresses.get(part)!, authSecret: SECRETS.AUTH_SECRET, close };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}
