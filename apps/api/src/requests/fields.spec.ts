import { describe, expect, it } from '@jest/globals';
import { Problem, valid } from '#edge';
import { AssignRequest, OpenTicketRequest, RateRequest } from '../tickets/ticket-requests.js';
import { instantFrom } from './instant.js';

const least = { subject: 'Printer', text: 'It prints blank pages.', channel: 'phone' };

function problems(of: new () => object, body: unknown): readonly { field: string; problem: string }[] {
  try {
    valid(of, body);
    return [];
  } catch (error) {
    if (error instanceof Problem) return error.extras.errors ?? [];
    throw error;
  }
}

describe('requests', () => {
  it('the least that a ticket needs is enough', () => {
    expect(problems(OpenTicketRequest, least)).toEqual([]);
    expect(problems(AssignRequest, {})).toEqual([]);
  });

  it('every field that is wrong is named with what is allowed', () => {
    const wrong = {
      subject: 'two\nlines',
      text: '   ',
      channel: 'pigeon',
      priority: 2.5,
      tier: 'gold',
      occurredAt: '2026-02-30T00:00:00Z',
      requester: { email: 'nobody', nick: 'x' },
      colour: 'red',
    };
    const named = problems(OpenTicketRequest, wrong);
    expect(named.map(({ field }) => field).sort()).toEqual([
      'channel',
      'colour',
      'occurredAt',
      'priority',
      'requester',
      'subject',
      'text',
      'tier',
    ]);
    const of = (field: string) => named.find((one) => one.field === field)!.problem;
    expect(of('channel')).toBe('must be one of phone, e-mail, web, chat, note, integration');
    expect(of('priority')).toBe('must be a whole number from 1 to 4');
    expect(of('requester')).toContain('email');
    expect(of('requester')).toContain('nick');
    expect(of('colour')).toBe('is not known here');
  });

  it('no message repeats what the client sent', () => {
    const sentinel = 'sentinel-7b1f';
    const body = Object.fromEntries(
      ['subject', 'text', 'channel', 'tier', 'occurredAt', 'priority', 'externalReference'].map((field) => [
        field,
        { [sentinel]: sentinel },
      ]),
    );
    expect(JSON.stringify(problems(OpenTicketRequest, body))).not.toContain(sentinel);
    expect(
      JSON.stringify(problems(OpenTicketRequest, { ...least, requester: { email: sentinel } })),
    ).not.toContain(sentinel);
  });

  it('null is no value', () => {
    expect(problems(OpenTicketRequest, { ...least, priority: null })).toEqual([
      { field: 'priority', problem: 'must be a whole number from 1 to 4' },
    ]);
    expect(problems(OpenTicketRequest, { ...least, requester: null })).toEqual([
      { field: 'requester', problem: 'must be an object' },
    ]);
  });

  it('a text may have 64 KiB in UTF-8 and not a byte more', () => {
    expect(problems(OpenTicketRequest, { ...least, text: 'x'.repeat(65_536) })).toEqual([]);
    expect(problems(OpenTicketRequest, { ...least, text: 'x'.repeat(65_537) })).toHaveLength(1);
    expect(problems(OpenTicketRequest, { ...least, text: 'ü'.repeat(32_769) })).toHaveLength(1);
  });

  it('a score lies between 1 and 5', () => {
    expect(problems(RateRequest, { score: 5 })).toEqual([]);
    for (const score of [0, 6, 4.5, '5', true, null, [5]])
      expect(problems(RateRequest, { score })).toHaveLength(1);
  });
});

describe('instants in requests', () => {
  it('are floored to the second and brought to UTC', () => {
    expect(instantFrom('2026-11-24T18:00:00.999+01:00')).toBe('2026-11-24T17:00:00Z');
    expect(instantFrom('2026-11-24T17:00:00Z')).toBe('2026-11-24T17:00:00Z');
  });

  it('that name no moment are none', () => {
    for (const text of [
      '2026-02-30T00:00:00Z',
      '2026-11-24T24:00:00Z',
      '2026-11-24T17:00:60Z',
      '2026-11-24T17:00:00',
      '2026-11-24',
      '1764000000',
      '2026-11-24T17:00:00+25:00',
      '',
    ])
      expect(instantFrom(text)).toBeNull();
  });
});
