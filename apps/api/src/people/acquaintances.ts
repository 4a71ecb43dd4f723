import { Injectable } from '@nestjs/common';
import { personStream } from '#domain/people';
import { NO_STREAM } from '#engine/store';
import type { Actor, PersonId, Position } from '#kernel';
import { failureOf, House, type CallerType } from '#edge';

/** A person that a request names. */
export interface Met {
  readonly person: PersonId;
  readonly name: string;
  readonly email?: string;
  /** Named by somebody else and only by what identifies them: then a name that is known already stays. */
  readonly byHearsay?: boolean;
}

const REMEMBERED = 20_000;

/**
 * Records how persons are called when they are met, in their own streams (ruling 31); before there is a
 * directory of staff that is where their names come from. Who was met under the same name before costs
 * nothing.
 */
@Injectable()
export class Acquaintances {
  /** Person to name and address as last recorded by this process; oldest first. */
  private readonly known = new Map<PersonId, string>();
  private readonly callers = new WeakSet<CallerType>();
  private readonly underWay = new Map<string, Promise<Position | null>>();

  constructor(private readonly house: House) {}

  /** The caller, as the token says. Answers the position at which the name was recorded just now, else null. */
  async meetCaller(caller: CallerType, correlation: string): Promise<Position | null> {
    if (this.callers.has(caller)) return null;
    const { actor, name, email } = caller;
    const met: Met = { person: actor.id, name, ...(email !== undefined && { email }) };
    const position = await this.meet([met], actor, correlation);
    this.callers.add(caller);
    return position;
  }

  /**
   * Caller and others after a command that is recorded already, and stays so: what goes wrong with a name is
   * logged, and the next meeting tries again.
   */
  async meetAfterwards(
    caller: CallerType,
    others: readonly Met[],
    correlation: string,
  ): Promise<Position | null> {
    try {
      const met = await this.meetCaller(caller, correlation);
      return others.length === 0 ? met : ((await this.meet(others, caller.actor, correlation)) ?? met);
    } catch (error) {
      this.house.logger.warn(
        { correlation, failure: failureOf(error) },
        'a person met could not be named yet',
      );
      return null;
    }
  }

  /** Answers the position at which the last name was recorded just now; null where all were known. */
  async meet(persons: readonly Met[], by: Actor, correlation: string): Promise<Position | null> {
    let last: Position | null = null;
    for (const met of persons) {
      const called = `${met.name}\n${met.email ?? ''}`;
      const before = this.known.get(met.person);
      if (before === called || (met.byHearsay && before !== undefined)) continue;
      const key = `${met.person} ${called}`;
      let naming = this.underWay.get(key);
      if (!naming) {
        naming = this.name(met, by, correlation).finally(() => this.underWay.delete(key));
        this.underWay.set(key, naming);
      }
      last = (await naming) ?? last;
      this.known.delete(met.person);
      this.known.set(met.person, called);
      if (this.known.size > REMEMBERED) this.known.delete(this.known.keys().next().value!);
    }
    return last;
  }

  private async name(
    { person, name, email, byHearsay }: Met,
    by: Actor,
    correlation: string,
  ): Promise<Position | null> {
    const digest = this.house.identities.derived('naming', name, email ?? '');
    const outcome = await this.house.people.transact(
      {
        stream: personStream(person),
        actor: by,
        correlation,
        // By hearsay only into an empty stream; any other answers `stale`, and that is well.
        ...(byHearsay ? { ifMatch: NO_STREAM } : { expectNew: true }),
      },
      (occurredAt) => ({
        type: 'name-person',
        occurredAt,
        by,
        person,
        name,
        ...(email !== undefined && { email }),
        digest,
      }),
    );
    return outcome.outcome === 'accepted' && outcome.events.length > 0 ? outcome.position : null;
  }
}
