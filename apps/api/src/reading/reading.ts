import { Injectable } from '@nestjs/common';
import { type PersonId, type Position } from '#kernel';
import type { Sealed } from '#engine/store';
import { House, Problem } from '#edge';
import { openTexts, type Texts } from './texts.js';
import type { People } from '../tickets/present.js';

/** What every read does: waits for its position, names persons, opens texts. */
@Injectable()
export class Reading {
  constructor(private readonly house: House) {}

  /**
   * Waits, bounded, until the views have passed `after`, and answers a position that whatever is read from
   * now on holds (ruling 12).
   *
   * @throws Problem `unknown-position`, `view-lag`, `too-many-waiting`
   */
  async upTo(after: Position | undefined): Promise<Position> {
    await this.house.caughtUp(after);
    return this.house.views.passed();
  }

  async people(ids: Iterable<PersonId>): Promise<People> {
    const rows = await this.house.views.people([...new Set(ids)]);
    return new Map(rows.map((row) => [row.id as PersonId, row]));
  }

  texts(blobs: Iterable<Sealed | null | undefined>): Promise<Texts> {
    return openTexts((sealed) => this.house.open(sealed), blobs);
  }
}

export const unknownPosition = (): Problem =>
  Problem.of('unknown-position', 'The log has not come to this position.');

/** @throws Problem `view-parked` where a page holds rows that are behind the log (ruling 50) */
export function demandWhole({ parked }: { readonly parked: readonly string[] }): void {
  if (parked.length > 0)
    throw Problem.of('view-parked', 'The read model could not digest an event of what this page shows.');
}
