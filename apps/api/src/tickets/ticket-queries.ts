import type { Mask } from '#domain/access';
import type { Identities } from '#engine/identity';
import { INTAKE, STATUSES } from '#engine/views';
import { isPosition, isUuid, type Instant, type PersonId, type Position, type Uuid } from '#kernel';
import { Problem, type Params } from '#edge';
import type { TicketFilter, TicketPage } from '#adapters/views-postgres';
import { staff } from './ticket-commands.js';

/** Filters of the list of tickets, as OpenAPI states them. */
export const TICKET_FILTERS = [
  { name: 'status', about: 'One or several, with commas between.' },
  { name: 'priority', about: '1 critical to 4 low.', values: [1, 2, 3, 4] },
  { name: 'number', about: 'The number said on the phone, T-104233.' },
  { name: 'requester', about: 'Who asked: an id, or an e-mail address.' },
  { name: 'queue', about: 'intake, the id of a queue, or the name of its group. Not for role customer.' },
  { name: 'agent', about: 'An id, or the subject of a token. Not for role customer.' },
  { name: 'customer', about: 'Account of the requester: an id, or its name. Not for role customer.' },
  { name: 'externalReference', about: 'Number in another system. Not for role customer.' },
  {
    name: 'overdue',
    about: 'true: a promise of it that is still open was not kept. Not for role customer.',
    values: ['true'],
  },
  {
    name: 'paused',
    about:
      'forgotten: whose promises have stood still for longer than the desk allows, PAUSE_LIMIT_DAYS. Not for role customer.',
    values: ['forgotten'],
  },
  { name: 'order', about: 'By opening.', values: ['newest-first', 'oldest-first'] },
] as const;

/** What a mask hides can not be asked about either. */
const HIDDEN = ['queue', 'agent', 'customer', 'externalReference', 'overdue', 'paused'] as const;

export const queueIdOf = (identities: Identities, text: string): string =>
  text === INTAKE || isUuid(text) ? text : identities.termId('group', text);

const isOpened = (value: unknown): value is readonly [Position] =>
  Array.isArray(value) && value.length === 1 && isPosition(value[0]);

/**
 * @param forgotten promises that have stood still since then or longer are a forgotten pause
 * @throws Problem `bad-input`, `not-permitted`
 */
export function ticketsAsked(
  params: Params,
  mask: Mask,
  identities: Identities,
  forgotten: Instant,
): { readonly filter: TicketFilter; readonly page: TicketPage } {
  if (mask === 'public') {
    const field = HIDDEN.find((name) => params.names.includes(name));
    if (field !== undefined)
      throw Problem.of('not-permitted', `${field} is not for your role to ask about.`, {
        errors: [{ field, problem: 'is not for your role to ask about' }],
      });
  }
  const id = (name: string, of: (text: string) => Uuid): Uuid | undefined => {
    const text = params.text(name);
    return text === undefined ? undefined : isUuid(text) ? text : of(text);
  };
  const queue = params.text('queue');
  const after = params.cursor(isOpened);
  const asked = {
    filter: {
      status: params.codes('status', STATUSES),
      priority: params.whole('priority', 1, 4),
      number: params.text('number'),
      requester: id('requester', (text) => identities.personByAddress(text)) as PersonId | undefined,
      queue: queue === undefined ? undefined : queueIdOf(identities, queue),
      agent: id('agent', (text) => staff(identities, text)) as PersonId | undefined,
      customer: id('customer', (text) => identities.termId('customer', text)),
      externalReference: id('externalReference', (text) => identities.termId('external-reference', text)),
      overdue: params.code('overdue', ['true']) && true,
      pausedUntil: params.code('paused', ['forgotten']) && forgotten,
    },
    page: {
      limit: params.limit(),
      ...(after && { after: after[0] }),
      order: params.code('order', ['newest-first', 'oldest-first']) ?? 'newest-first',
    },
  } as const;
  params.done();
  return asked as { filter: TicketFilter; page: TicketPage };
}
