import { Injectable } from '@nestjs/common';
import type { Request, Transactor } from '#engine/store';
import { transactor } from '#engine/store';
import { accept, type Decider, type Event, type Instant, type Refusal, type Uuid } from '#kernel';
import { accepted, House } from '#edge';

type Nothing = { readonly occurredAt: Instant };

const nothing: Decider<null, Nothing, Event, Event, Refusal<never>> = {
  initial: null,
  evolve: () => null,
  due: () => [],
  decide: () => accept(),
};

/**
 * Where a keyed request creates something whose id follows from its body, the stream alone would not show
 * that the key was used with another body (ruling 11). So the key is noted first in a stream of its own,
 * `request-<id that follows from person, route and key>`.
 */
@Injectable()
export class KeyRings {
  private readonly rings: Transactor<null, Nothing, Event, Refusal<never>>;

  constructor(house: House) {
    this.rings = transactor({ ...house.means, decider: nothing, cached: 1_000 });
  }

  /** @throws Problem `key-reused` */
  async demandFresh(id: Uuid, { ifMatch: _, ...request }: Request): Promise<void> {
    accepted(
      await this.rings.transact({ ...request, stream: `request-${id}`, expectNew: true }, (occurredAt) => ({
        occurredAt,
      })),
    );
  }
}
