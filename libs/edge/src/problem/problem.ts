/**
 * Everything that can be wrong with a request, by code: HTTP status and title. Closed; refusals of aggregates
 * have codes of their own (refusals.ts).
 */
export const PROBLEMS = {
  'bad-json': [400, 'The body is not well-formed JSON'],
  'bad-text': [400, 'A text holds characters that cannot be stored'],
  'too-deep': [400, 'The body is nested too deeply'],
  'bad-request': [400, 'The request cannot be understood'],
  'bad-input': [400, 'The input is not valid'],
  'in-future': [400, 'Nothing can have happened in the future'],
  'unknown-position': [400, 'There is no such position yet'],
  'not-authenticated': [401, 'A valid token is needed'],
  'not-permitted': [403, 'The role does not permit this'],
  'not-found': [404, 'There is no such thing'],
  stale: [412, 'It has changed since it was read'],
  'too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The media type is not supported'],
  'key-reused': [422, 'The idempotency key stands for another body'],
  'too-many-streams': [429, 'Too many streams are open already'],
  internal: [500, 'Something went wrong here'],
  contention: [503, 'Too many write here at once'],
  'not-recorded': [503, 'Nothing was recorded'],
  'outcome-unknown': [503, 'It is not known whether it was recorded'],
  'log-unavailable': [503, 'The event log cannot be reached'],
  'views-unavailable': [503, 'The read models cannot be reached'],
  'older-than-log': [503, 'This process is older than the log'],
  'storage-low': [503, 'The disk is nearly full'],
  'view-lag': [503, 'The read model has not come that far yet'],
  'view-parked': [503, 'The read model of this is incomplete'],
  'too-many-waiting': [503, 'Too many reads wait already'],
  'clock-untrusted': [503, 'The clock of this process is wrong'],
  'not-ready': [503, 'The desk is not ready yet'],
  stopping: [503, 'The desk is stopping'],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One field and what is wrong with it; `field` is a path such as `messages.0.text`. */
export interface FieldProblem {
  readonly field: string;
  readonly problem: string;
}

export interface ProblemExtras {
  readonly errors?: readonly FieldProblem[];
  /** Seconds; every 503 has it. */
  readonly retryAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * An answer other than success, as RFC 9457 tells it. Thrown by routes and hooks; `detail` goes to the
 * client and must not depend on what the client may not know.
 */
export class Problem extends Error {
  override readonly name: string = 'Problem';

  protected constructor(
    readonly code: string,
    readonly httpStatus: number,
    readonly title: string,
    readonly detail: string,
    readonly extras: ProblemExtras,
  ) {
    super(code);
  }

  static of(code: ProblemCode, detail: string, extras: ProblemExtras = {}): Problem {
    const [status, title] = PROBLEMS[code];
    return new Problem(code, status, title, detail, status === 503 ? { retryAfter: 1, ...extras } : extras);
  }

  static refusal(code: string, status: number, detail: string): Problem {
    return new Problem(code, status, 'The command was refused', detail, {});
  }

  body(correlation: string): string {
    return JSON.stringify({
      type: `urn:covenant:problem:${this.code}`,
      title: this.title,
      status: this.httpStatus,
      detail: this.detail,
      code: this.code,
      ...(this.extras.errors && { errors: this.extras.errors }),
      correlation,
    });
  }

  headers(): Readonly<Record<string, string>> {
    return {
      'content-type': 'application/problem+json; charset=utf-8',
      ...(this.extras.retryAfter !== undefined && { 'retry-after': String(this.extras.retryAfter) }),
      ...this.extras.headers,
    };
  }
}

/** 400 with the list of what is wrong. */
export const badInput = (errors: readonly FieldProblem[]): Problem =>
  Problem.of('bad-input', errors.map(({ field, problem }) => `${field}: ${problem}`).join('; '), { errors });

/** What an unknown id gets, and, the same to the byte, one that the caller may not know of (ruling 53). */
export const notFound = (): Problem => Problem.of('not-found', 'There is nothing under this id.');
