import { parseArgs } from 'node:util';
import { explainPromises, ticketStream, type Explained, type TicketEvent } from '#domain/desk';
import { zoneNames, zoneOf } from '#domain/sla';
import type { House } from '#edge';
import { isUuid, toInstant, type PersonId, type Recorded, type Uuid } from '#kernel';
import { explainedAsText, type Called } from '../explain/table.js';
import { Refused, UsageError, writeLine, type CommandBody } from '../program.js';
import { withHouse } from '../with-house.js';

export const explainCommand: CommandBody = async (args, around) => {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { zone: { type: 'string' }, json: { type: 'boolean' } },
  });
  const [asked, ...more] = positionals;
  if (asked === undefined || more.length > 0)
    throw new UsageError('name one ticket, by its number or its id');
  const zone = values.zone ?? ownZone();
  zoneOf(zone);
  return withHouse(around, async (house) => {
    const id = await ticketOf(house, asked);
    const stored = await house.store.readStream(ticketStream(id));
    const events = stored.map(house.codec.decode) as readonly Recorded<TicketEvent>[];
    const [opened] = events;
    if (opened?.type !== 'desk.ticket-opened.v1') throw new Refused(`there is no ticket ${asked}`);
    const now = toInstant((await house.store.now()) / 1_000_000);
    const explained = explainPromises(events, house.policies(), now);
    const { number } = opened.data;
    if (values.json === true) {
      await writeLine(around.stdout, JSON.stringify({ id, number, at: now, clocks: explained }));
      return 0;
    }
    const called = await namesIn(house, explained);
    await writeLine(around.stdout, `${number} (${id}) at ${now}`);
    for (const clock of explained) {
      await writeLine(around.stdout, '');
      for (const line of explainedAsText(clock, zone, called)) await writeLine(around.stdout, line);
    }
    return 0;
  });
};

/** Where this machine says it stands; UTC where it says nothing that the zone rules know. */
function ownZone(): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return zoneNames().includes(zone) ? zone : 'UTC';
}

async function ticketOf({ views }: House, asked: string): Promise<Uuid> {
  if (isUuid(asked)) return asked;
  const { rows } = await views.tickets({ number: asked }, { limit: 1, order: 'newest-first' });
  const [row] = rows;
  if (!row) throw new Refused(`there is no ticket ${asked}; one opened a moment ago is known by its id`);
  return row.id as Uuid;
}

/** What the persons behind the lines are called, as far as their keys still are. */
async function namesIn(house: House, explained: readonly Explained[]): Promise<Called> {
  const ids = new Set<PersonId>();
  for (const { lines } of explained)
    for (const line of lines) {
      if (line.source) ids.add(line.source.by.id);
      if (line.kind === 'paused') for (const { source } of line.reasons) ids.add(source.by.id);
    }
  const rows = (await house.views.people([...ids])).flatMap(({ id, called }) =>
    called ? [{ id, called }] : [],
  );
  const opened = await house.open(rows.map(({ called }) => called));
  const names = new Map(rows.map(({ id }, i) => [id as PersonId, opened[i]?.['name'] ?? null] as const));
  return (person) => names.get(person) ?? null;
}
