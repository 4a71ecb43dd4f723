import { parseArgs } from 'node:util';
import { categoryOf } from '#engine/catalogue';
import type { House } from '#edge';
import { isPosition, microsToText, START, type Event, type Position, type Recorded } from '#kernel';
import { UsageError, writeLine, type CommandBody } from '../program.js';
import { withHouse } from '../with-house.js';

const BATCH = 1_000;

export const logCommand: CommandBody = async (args, around) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      stream: { type: 'string' },
      category: { type: 'string' },
      after: { type: 'string' },
      open: { type: 'boolean' },
      canonical: { type: 'boolean' },
    },
  });
  const { stream, category, after = START, open = false, canonical = false } = values;
  if (!isPosition(after)) throw new UsageError('--after is a position as the log names it');
  if (stream !== undefined && category !== undefined)
    throw new UsageError('--stream and --category exclude each other');

  return withHouse(around, async (house) => {
    const wanted = ({ stream: of }: Recorded<Event>): boolean =>
      category === undefined || categoryOf(of) === category;
    for await (const events of batches(house, stream, after, around.signal)) {
      const shown = events.filter(wanted);
      const texts = open || canonical ? await opened(house, shown) : undefined;
      for (const [i, event] of shown.entries()) {
        if (around.signal.aborted) return 0;
        const line = canonical ? inCommon(event, texts![i]!) : told(event, texts?.[i]);
        await writeLine(around.stdout, line);
      }
    }
    return 0;
  });
};

async function* batches(
  { store, codec }: House,
  stream: string | undefined,
  after: Position,
  signal: AbortSignal,
): AsyncGenerator<readonly Recorded<Event>[]> {
  if (stream !== undefined) {
    yield (await store.readStream(stream)).filter(({ position }) => position > after).map(codec.decode);
    return;
  }
  for (let from = after; !signal.aborted;) {
    const events = await store.readAll(from, BATCH);
    const last = events.at(-1);
    if (!last) return;
    yield events.map(codec.decode);
    from = last.position;
  }
}

type Texts = Readonly<Record<string, Readonly<Record<string, string>> | null>>;

/** By person the texts of each event; null where the key was destroyed. */
async function opened(house: House, events: readonly Recorded<Event>[]): Promise<readonly Texts[]> {
  const blobs = events.flatMap(({ sealed = {} }, i) =>
    Object.entries(sealed).map(([of, blob]) => ({ i, of: of as Recorded<Event>['actor']['id'], blob })),
  );
  const texts = await house.open(blobs);
  const answer: Record<string, Texts[string]>[] = events.map(() => ({}));
  for (const [at, { i, of }] of blobs.entries()) answer[i]![of] = texts[at]!;
  return answer;
}

function told({ recordedAt, sealed, ...event }: Recorded<Event>, texts: Texts | undefined): string {
  return JSON.stringify({
    ...event,
    recordedAt: microsToText(recordedAt),
    ...(texts ? { texts } : sealed && { sealed }),
  });
}

/** Numbers are given as tickets come, and the log places and stamps events as they come (rulings 13, 15). */
function inCommon(event: Recorded<Event>, texts: Texts): string {
  const { recordedAt: _r, position: _p, sealed: _s, ...common } = event;
  const { number: _n, ...data } = common.data as Record<string, unknown>;
  return inOrder({ ...common, data, texts });
}

const inOrder = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
