import { badInput, type FieldProblem } from '../problem/problem.js';

/**
 * A query string's parameters, each asked for once by name: what nobody asked for is refused, and all that is
 * wrong is named at once by `done`.
 */
export class Params {
  private readonly given: Readonly<Record<string, unknown>>;
  private readonly asked = new Set<string>(['after']);
  private readonly problems: FieldProblem[] = [];

  constructor(query: unknown) {
    this.given = (query ?? {}) as Readonly<Record<string, unknown>>;
  }

  /** What stands in the query at all. */
  get names(): readonly string[] {
    return Object.keys(this.given);
  }

  /** Anything of at most so many characters. */
  text(name: string, length = 254): string | undefined {
    const value = this.one(name);
    if (value === undefined) return undefined;
    if (value.trim() !== '' && value.length <= length) return value;
    return this.wrong(name, `must have 1 to ${length} characters`);
  }

  code<const V extends string>(name: string, values: readonly V[]): V | undefined {
    const value = this.one(name);
    if (value === undefined) return undefined;
    return (
      values.find((allowed) => allowed === value) ?? this.wrong(name, `must be one of ${values.join(', ')}`)
    );
  }

  /** Given several times, or with commas between. */
  codes<const V extends string>(name: string, values: readonly V[]): readonly V[] | undefined {
    this.asked.add(name);
    const given = this.given[name];
    if (given === undefined) return undefined;
    const list = [given].flat().flatMap((text) => (typeof text === 'string' ? text.split(',') : ['']));
    const known = values.filter((value) => list.includes(value));
    if (list.every((text) => values.some((value) => value === text))) return known;
    return this.wrong(name, `must be of ${values.join(', ')}`);
  }

  whole(name: string, min: number, max: number): number | undefined {
    const value = this.one(name);
    if (value === undefined) return undefined;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
    if (number >= min && number <= max) return number;
    return this.wrong(name, `must be a whole number from ${min} to ${max}`);
  }

  /** Items of a page. */
  limit(): number {
    return this.whole('limit', 1, 200) ?? 50;
  }

  /** Where a page begins: what `cursorOf` made, if `holds` recognises it. */
  cursor<T>(holds: (value: unknown) => value is T): T | undefined {
    const value = this.one('cursor');
    if (value === undefined) return undefined;
    let parsed: unknown;
    try {
      parsed = JSON.parse(Buffer.from(value, 'base64url').toString('utf8'));
    } catch {
      parsed = undefined;
    }
    return holds(parsed) ? parsed : this.wrong('cursor', 'must be the `next` of a page before');
  }

  /** @throws Problem `bad-input` */
  done(): void {
    for (const name of this.names)
      if (!this.asked.has(name)) this.problems.push({ field: name, problem: 'is not known here' });
    if (this.problems.length > 0) throw badInput(this.problems);
  }

  private one(name: string): string | undefined {
    this.asked.add(name);
    const value = this.given[name];
    if (value === undefined || typeof value === 'string') return value;
    return this.wrong(name, 'must be given once');
  }

  private wrong(field: string, problem: string): undefined {
    this.problems.push({ field, problem });
    return undefined;
  }
}

/** Opaque to clients. */
export const cursorOf = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
