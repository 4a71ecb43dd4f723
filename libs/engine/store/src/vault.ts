import type { PersonId } from '#kernel';

/**
 * Keys by person (AES-256, 32 bytes), kept outside the log (ruling 31). A key is durable before `keysFor`
 * answers. Implementations cache opened keys for at most 60 s.
 */
export interface Vault {
  /** Makes the missing ones. Errors: KeyWithdrawn where one may seal no more. */
  keysFor(persons: readonly PersonId[]): Promise<ReadonlyMap<PersonId, Buffer>>;
  /** Only existing ones; a destroyed key is absent from the answer, a closing one still opens. */
  existingKeys(persons: readonly PersonId[]): Promise<ReadonlyMap<PersonId, Buffer>>;
}
