import { parseArgs } from 'node:util';
import { openAnalyticsTables, openKnowledgeTables, type ConsumerTables } from '#adapters/consumers-postgres';
import { publicationOf } from '#adapters/feed-local';
import { zoneOf } from '#domain/sla';
import { civilDay, NEWEST_ZONE_RULES, schemaCheck, type House } from '#edge';
import { analytics } from '#engine/analytics';
import { rebuildTables, retryLetters, skipLetter, type Consumer, type Pinned } from '#engine/feed';
import { knowledge } from '#engine/knowledge';
import { START } from '#kernel';
import { UsageError, writeLine, type CommandBody, type Surroundings } from '../program.js';
import { withHouse } from '../with-house.js';

/** Dead letters told one by one. */
const TOLD = 100;

interface Known {
  readonly open: typeof openAnalyticsTables | typeof openKnowledgeTables;
  readonly consumer: (house: House) => Consumer;
}

const KNOWN: Readonly<Record<string, Known>> = {
  analytics: {
    open: openAnalyticsTables,
    consumer: ({ settings }) =>
      analytics({ zone: settings.deskZone, tzdb: NEWEST_ZONE_RULES, dayOf: civilDay }),
  },
  knowledge: { open: openKnowledgeTables, consumer: () => knowledge },
};

/** A consumer whose tables are open. */
interface Opened {
  readonly name: string;
  readonly consumer: Consumer;
  readonly store: ConsumerTables<object>['store'];
}

export const consumersCommand: CommandBody = async (args, around) => {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean' }, zone: { type: 'string' } },
  });
  const [verb, name, letter, ...more] = positionals;
  if (more.length > 0 || (letter !== undefined && verb !== 'skip') || (name !== undefined && verb === 'list'))
    throw new UsageError('too many arguments');
  if (values.zone !== undefined && (verb !== 'rebuild' || name !== 'analytics'))
    throw new UsageError('--zone is for rebuild analytics');
  switch (verb) {
    case 'list':
      return withConsumers(around, chosen(undefined), (opened) => list(opened, around, values.json === true));
    case 'retry':
      return withConsumers(around, chosen(name), (opened) => retry(opened, around));
    case 'skip': {
      const number = Number(letter);
      if (name === undefined || !Number.isSafeInteger(number) || number < 1)
        throw new UsageError('the consumer and the number of a letter are needed');
      return withConsumers(around, chosen(name), (opened) => skip(opened, around, number));
    }
    case 'rebuild': {
      const { zone } = values;
      const pinned = zone === undefined ? undefined : { zone: zoneOf(zone).name, tzdb: NEWEST_ZONE_RULES };
      return withConsumers(around, chosen(name), (opened, house) => rebuild(opened, house, around, pinned));
    }
    default:
      throw new UsageError('one of list, retry, skip, rebuild is needed');
  }
};

function chosen(name: string | undefined): readonly string[] {
  if (name === undefined) return Object.keys(KNOWN);
  if (!Object.hasOwn(KNOWN, name))
    throw new UsageError(`there is no consumer ${name}; there are ${Object.keys(KNOWN).join(', ')}`);
  return [name];
}

function withConsumers(
  around: Surroundings,
  names: readonly string[],
  work: (opened: readonly Opened[], house: House) => Promise<number>,
): Promise<number> {
  return withHouse(around, async (house) => {
    const url = around.env.CONSUMER_DATABASE_URL?.trim() || house.databaseUrl;
    const opened: Opened[] = [];
    for (const name of names) {
      const { open, consumer } = KNOWN[name]!;
      const { store } = await house.keep<ConsumerTables<object>>(open({ url, logger: house.logger }));
      opened.push({ name, consumer: consumer(house), store });
    }
    return work(opened, house);
  });
}

async function list(opened: readonly Opened[], { stdout }: Surroundings, json: boolean): Promise<number> {
  const consumers = [];
  for (const { name, store } of opened) {
    const [state, positions, figures, letters] = await Promise.all([
      store.state(),
      store.positions(),
      store.letterFigures(),
      store.letters(0, TOLD),
    ]);
    consumers.push({ consumer: name, state, positions, deadLetters: figures, letters });
  }
  if (json) {
    // Of a dead letter only where it came from and why it lies there: what it holds may be anything.
    const shown = consumers.map(({ letters, ...rest }) => ({
      ...rest,
      letters: letters.map(({ number, delivery: { topic, partition, offset }, reason }) => ({
        ...{ number, topic, partition, offset, reason },
      })),
    }));
    await writeLine(stdout, JSON.stringify({ consumers: shown }));
    return 0;
  }
  for (const { consumer, positions, deadLetters, letters } of consumers) {
    const sum = (of: 'digested' | 'repeats'): number => positions.reduce((n, one) => n + one[of], 0);
    await writeLine(
      stdout,
      `${consumer.padEnd(14)} ${sum('digested')} digested, ${sum('repeats')} repeats, ` +
        `${deadLetters.letters} dead letters of ${deadLetters.keys} keys`,
    );
    for (const { feed, topic, partition, next } of positions)
      await writeLine(stdout, `${consumer}: ${feed} ${topic}/${partition} goes on at ${next}`);
    for (const { number, delivery, reason } of letters)
      await writeLine(
        stdout,
        `${consumer}: letter ${number} of ${delivery.topic}/${delivery.partition} at ${delivery.offset}: ${reason}`,
      );
  }
  return 0;
}

async function retry(opened: readonly Opened[], { stdout, signal }: Surroundings): Promise<number> {
  let left = 0;
  for (const { name, consumer, store } of opened) {
    const { digested, still } = await retryLetters({ consumer, store, check: schemaCheck() }, signal);
    left += still;
    await writeLine(stdout, `${name}: ${digested} dead letters digested, ${still} lie on`);
  }
  return left === 0 ? 0 : 1;
}

async function skip([one]: readonly Opened[], { stdout }: Surroundings, number: number): Promise<number> {
  const { name, store } = one!;
  const given = await skipLetter(store, number);
  await writeLine(
    stdout,
    given ? `${name}: letter ${number} is given up` : `${name}: there is no letter ${number}`,
  );
  return given ? 0 : 1;
}

async function rebuild(
  opened: readonly Opened[],
  { store: log, codec }: House,
  { stdout, signal }: Surroundings,
  pinned: Pinned | undefined,
): Promise<number> {
  const publication = await publicationOf({ store: log, decode: codec.decode });
  let different = 0;
  for (const { name, consumer, store } of opened) {
    const digesting = { consumer, store, check: schemaCheck() };
    const { messages, comparison, otherLog } = await rebuildTables(
      digesting,
      publication,
      START,
      signal,
      pinned,
    );
    const compared =
      comparison === null
        ? otherLog
          ? 'the tables were of another log'
          : 'there was nothing to compare it with'
        : comparison.equal
          ? `${comparison.rebuilt.rows} rows, equal to the ones before`
          : `${comparison.rebuilt.rows} rows, DIFFERENT from the ${comparison.live.rows} before`;
    await writeLine(stdout, `${name}: rebuilt from ${messages} messages: ${compared}`);
    if (comparison && !comparison.equal) {
      different += 1;
      for (const key of comparison.differing) await writeLine(stdout, `  ${key}`);
    }
  }
  return different === 0 ? 0 : 1;
}
