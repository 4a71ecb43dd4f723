import { Injectable, type PipeTransform } from '@nestjs/common';
import type { Uuid } from '#kernel';
import { readId } from './headers.js';

/** `@Param('id', IdOf) id: Uuid`: what is no UUID is answered as an unknown id is. */
@Injectable()
export class IdOf implements PipeTransform<unknown, Uuid> {
  transform(value: unknown): Uuid {
    return readId(value);
  }
}
