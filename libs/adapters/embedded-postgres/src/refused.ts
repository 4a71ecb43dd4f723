/** Why the embedded PostgreSQL cannot serve; each needs something of the person who started the desk. */
export const EMBEDDED_REFUSALS = [
  /** Another desk holds the data folder. */
  'other-desk',
  /** Another PostgreSQL major wrote the data folder. */
  'other-major',
  'disk-full',
  'permission',
  /** DATA_DIR is no folder, or its path cannot be given to PostgreSQL. */
  'path',
  /** The binaries of the platform's package are absent or do not run. */
  'no-binaries',
  /** The password of the database is gone, or is not this database's. */
  'password',
  /** PostgreSQL does not start or answer, for a reason of its own that the message carries. */
  'not-starting',
] as const;
export type EmbeddedRefusal = (typeof EMBEDDED_REFUSALS)[number];

/** One sentence that says what is the matter and what to do; never a password. */
export class EmbeddedRefused extends Error {
  override readonly name = 'EmbeddedRefused';
  constructor(
    readonly code: EmbeddedRefusal,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What the file system refused, in the desk's words; anything else as it is. */
export function fromFileSystem(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new EmbeddedRefused('disk-full', `${path}: the disk is full; make room and start again.`, {
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new EmbeddedRefused(
        'permission',
        `${path} cannot be read or written (${message}); give this user the right to, or another DATA_DIR.`,
        { cause: error },
      );
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ENAMETOOLONG':
    case 'ELOOP':
      return new EmbeddedRefused('path', `${path} cannot be a data folder (${message}); set DATA_DIR.`, {
        cause: error,
      });
    case undefined:
    default:
      return error;
  }
}
