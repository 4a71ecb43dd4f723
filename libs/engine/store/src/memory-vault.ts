import type { PersonId } from '#kernel';
import type { Chance } from './codec.js';
import { KeyWithdrawn } from './errors.js';
import type { Vault } from './vault.js';

/** The twin of a real vault. */
export interface MemoryVault extends Vault {
  /** As erasure will leave it: the key seals and opens no more. */
  destroy(person: PersonId): void;
}

export function memoryVault(chance: Chance): MemoryVault {
  const keys = new Map<PersonId, Buffer | 'destroyed'>();
  return {
    keysFor: async (persons) =>
      new Map(
        persons.map((person) => {
          const key = keys.get(person) ?? chance.bytes(32);
          if (key === 'destroyed') throw new KeyWithdrawn(`the key of person ${person} was withdrawn`);
          keys.set(person, key);
          return [person, key];
        }),
      ),
    existingKeys: async (persons) => {
      const found = new Map<PersonId, Buffer>();
      for (const person of persons) {
        const key = keys.get(person);
        if (key && key !== 'destroyed') found.set(person, key);
      }
      return found;
    },
    destroy: (person) => void keys.set(person, 'destroyed'),
  };
}
