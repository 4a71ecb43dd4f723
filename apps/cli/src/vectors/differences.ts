/** A place where two JSON values differ. */
export interface Difference {
  /** `observations[0].due`; empty for the values themselves. */
  readonly path: string;
  /** Absent: it should not be there. */
  readonly expected?: unknown;
  /** Absent: it is missing. */
  readonly actual?: unknown;
}

/** Every place where two JSON values differ; the order of an object's members does not count. */
export function differences(expected: unknown, actual: unknown, path = ''): readonly Difference[] {
  if (isObject(expected) && isObject(actual)) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return [...keys].flatMap((key) => {
      const place = path === '' ? key : `${path}.${key}`;
      if (!(key in expected)) return [{ path: place, actual: actual[key] }];
      if (!(key in actual)) return [{ path: place, expected: expected[key] }];
      return differences(expected[key], actual[key], place);
    });
  }
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length)
    return expected.flatMap((item, i) => differences(item, actual[i], `${path}[${i}]`));
  if (!isObject(expected) && !Array.isArray(expected) && Object.is(expected, actual)) return [];
  return [{ path, expected, actual }];
}

export function describe({ path, expected, actual }: Difference): string {
  const text = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));
  return `${path || '(all)'}: expected ${text(expected)}, got ${text(actual)}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
