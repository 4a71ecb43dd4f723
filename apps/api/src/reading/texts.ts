import type { Opened, Sealed } from '#engine/store';

export type Opener = (blobs: readonly Sealed[]) => Promise<readonly (Opened | null)[]>;

/** The texts behind the blobs of one answer. */
export interface Texts {
  /** Null where there is no blob, no such field in it, or its key was destroyed. */
  field(sealed: Sealed | null | undefined, name: string): string | null;
  /** All texts of a blob by field; null where its key was destroyed. */
  all(sealed: Sealed): Opened | null;
}

/** Opens all that one answer shows at once, each blob once. */
export async function openTexts(open: Opener, blobs: Iterable<Sealed | null | undefined>): Promise<Texts> {
  const distinct = new Map<string, Sealed>();
  for (const sealed of blobs) if (sealed) distinct.set(sealed.blob, sealed);
  const opened = distinct.size === 0 ? [] : await open([...distinct.values()]);
  const texts = new Map([...distinct.keys()].map((blob, i) => [blob, opened[i] ?? null] as const));
  return {
    field: (sealed, name) => (sealed ? (texts.get(sealed.blob)?.[name] ?? null) : null),
    all: ({ blob }) => texts.get(blob) ?? null,
  };
}
