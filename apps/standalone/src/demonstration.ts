import { beginDemonstration, completeDemonstration, mintToken, type House } from '#edge';
import { toInstant, toSeconds, type Instant } from '#kernel';
import { MERGES, PERSONS, QUEUES, TICKETS } from './demonstration-desk.js';

type Role = keyof typeof PERSONS;
export type Tokens = Readonly<Record<Role, string>>;

/** A token for each role; only ever shown for a desk whose every fact is made up (ruling 33). */
export async function demonstrationTokens(secret: Buffer): Promise<Tokens> {
  const minted = Object.entries(PERSONS).map(
    async ([role, claims]) => [role, await mintToken(secret, claims)] as const,
  );
  return Object.fromEntries(await Promise.all(minted)) as Tokens;
}

/**
 * Makes an empty embedded store a demonstration desk, through the same requests that anybody makes. Each has
 * an idempotency key and a time that counts from the recorded beginning, so that a start that was cut off is
 * completed by the next.
 *
 * @returns whether the store is a demonstration
 */
export async function demonstrate(house: House, address: string, tokens: Tokens): Promise<boolean> {
  const demonstration = await beginDemonstration(house.means);
  if (!demonstration) return false;
  if (demonstration.complete) return true;
  const ask = asking(address, tokens);
  const before = (hours: number): Instant => toInstant(toSeconds(demonstration.since) - hours * 3600);

  for (const queue of QUEUES)
    await ask('supervisor', 'queues', `demo-${queue.group}`.replace(' ', '-'), queue);
  const ids: string[] = [];
  for (const [number, { hoursAgo, opening, steps }] of TICKETS.entries()) {
    const key = `demo-${number}`;
    const { id } = await ask('integration', 'tickets', key, { ...opening, occurredAt: before(hoursAgo) });
    ids.push(id);
    for (const [step, [route, ago, body]] of steps.entries()) {
      // Only who asked may rate, and only now.
      const [as, when]: [Role, object] =
        route === 'rate' ? ['customer', {}] : ['integration', { occurredAt: before(ago) }];
      await ask(as, `tickets/${id}/${route}`, `${key}-${step}`, { ...body, ...when });
    }
  }
  for (const [survivor, duplicate] of MERGES)
    await ask('agent', `tickets/${ids[survivor]}/merge`, `demo-merge-${duplicate}`, {
      duplicate: ids[duplicate],
    });
  await completeDemonstration(house.means);
  return true;
}

const asking =
  (address: string, tokens: Tokens) =>
  async (as: Role, path: string, key: string, body: object): Promise<{ readonly id: string }> => {
    const answer = await fetch(`${address}/v1/${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokens[as]}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify(body),
    });
    const told: unknown = await answer.json();
    if (!answer.ok)
      throw new Error(`the demonstration was refused: ${path} ${key}: ${(told as { code: string }).code}`);
    return told as { id: string };
  };
