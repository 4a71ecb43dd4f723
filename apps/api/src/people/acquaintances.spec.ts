import { beforeEach, describe, expect, it } from '@jest/globals';
import { person, personEvents, personStream } from '#domain/people';
import { identities } from '#engine/identity';
import {
  codec,
  LogUnavailable,
  memoryLog,
  memoryVault,
  opener,
  transactor,
  type EventStore,
} from '#engine/store';
import { silent, type PersonId } from '#kernel';
import { systemChance, type CallerType, type House } from '#edge';
import { Acquaintances } from './acquaintances.js';

const ids = identities(Buffer.alloc(32, 7));
const alice = ids.person('covenant', 'alice');
const caller = (name: string, email?: string): CallerType => ({
  actor: { id: alice, role: 'agent' },
  name,
  ...(email !== undefined && { email }),
  role: 'agent',
  tokenExpires: 0,
});

describe('acquaintances', () => {
  let log: EventStore;
  let appends: number;
  let broken: boolean;
  let acquaintances: () => Acquaintances;
  let names: (of: PersonId) => Promise<(string | undefined)[]>;

  beforeEach(() => {
    const chance = systemChance();
    const vault = memoryVault(chance);
    const sealing = codec({ catalogue: personEvents, vault, chance });
    log = memoryLog();
    appends = 0;
    broken = false;
    const store: EventStore = Object.assign(Object.create(log) as EventStore, {
      append: (append: Parameters<EventStore['append']>[0]) => {
        appends++;
        return broken ? Promise.reject(new LogUnavailable('away')) : log.append(append);
      },
    });
    const means = { store, codec: sealing, chance, clock: { now: Date.now }, engine: '1' };
    const house = () =>
      ({
        identities: ids,
        people: transactor({ ...means, decider: person }),
        logger: silent,
      }) as unknown as House;
    acquaintances = () => new Acquaintances(house());
    names = async (of) => {
      const events = (await log.readStream(personStream(of))).map(sealing.decode);
      const opened = await opener(vault)(events.map(({ sealed }) => ({ of, blob: sealed![of]! })));
      return opened.map((texts) => texts?.name);
    };
  });

  it('a caller is named once, however often they come and however many come at once', async () => {
    const met = acquaintances();
    await Promise.all(Array.from({ length: 20 }, () => met.meetCaller(caller('Alice'), 'c')));
    await met.meetCaller(caller('Alice'), 'c');
    expect(await names(alice)).toEqual(['Alice']);
    expect(appends).toBe(1);
  });

  it('who is called otherwise is named anew, by whichever process hears it', async () => {
    await acquaintances().meetCaller(caller('Alice'), 'c');
    await acquaintances().meetCaller(caller('Alice'), 'c');
    await acquaintances().meetCaller(caller('Alice Liddell', 'alice@desk.example'), 'c');
    expect(await names(alice)).toEqual(['Alice', 'Alice Liddell']);
  });

  it('hearsay names who has no name yet, and renames nobody', async () => {
    const hearsay = [{ person: alice, name: 'alice', byHearsay: true }];
    const by = { id: ids.person('covenant', 'bob'), role: 'agent' } as const;
    expect(await acquaintances().meet(hearsay, by, 'c')).not.toBeNull();
    await acquaintances().meetCaller(caller('Alice'), 'c');
    expect(await acquaintances().meet(hearsay, by, 'c')).toBeNull();
    expect(await names(alice)).toEqual(['alice', 'Alice']);
  });

  it('a name that cannot be recorded after a command is tried again at the next meeting', async () => {
    const met = acquaintances();
    broken = true;
    expect(await met.meetAfterwards(caller('Alice'), [], 'c')).toBeNull();
    broken = false;
    expect(await met.meetAfterwards(caller('Alice'), [], 'c')).not.toBeNull();
    expect(await names(alice)).toEqual(['Alice']);
  });
});
