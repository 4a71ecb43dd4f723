import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../problem/problem.js';
import { canonical, checkUrl, isStorable, MAX_DEPTH, readJson } from './json.js';

const code = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
  return 'accepted';
};
const read = (text: string | Buffer): unknown => readJson(Buffer.from(text as string));
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('A JSON body', () => {
  it('is read as JSON.parse reads it, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        if (!text.includes('__proto__')) expect(read(text)).toEqual(JSON.parse(text));
      }),
      { verbose: 1 },
    );
  });

  it.each([
    ['malformed', '{"a":', 'bad-json'],
    ['empty', '', 'bad-json'],
    ['two values', '{}{}', 'bad-json'],
    ['an escaped U+0000 in a text', '{"a":"x\\u0000"}', 'bad-text'],
    ['a raw U+0000 in a text', '{"a":"x\0"}', 'bad-json'],
    ['an escaped U+0000 in a name', '{"\\u0000":1}', 'bad-text'],
    ['a lone high surrogate', '{"a":["\\ud800"]}', 'bad-text'],
    ['a lone low surrogate in upper case', '{"a":"\\uDC00x"}', 'bad-text'],
    ['surrogates in the wrong order', '"\\udc00\\ud800"', 'bad-text'],
    ['a name twice', '{"a":1,"a":2}', 'bad-json'],
    ['a name twice in different spelling', '{"a":1,"\\u0061":2}', 'bad-json'],
    ['a name twice further down', '{"x":[{"a":{},"a":{}}]}', 'bad-json'],
    ['__proto__', '{"__proto__":{"role":"administrator"}}', 'bad-json'],
    ['__proto__ in disguise', '{"\\u005f_proto__":1}', 'bad-json'],
    ['one level too deep', nested(MAX_DEPTH + 1), 'too-deep'],
    ['very deep and unfinished', '{"a":'.repeat(100_000), 'too-deep'],
  ])('with %s is refused', (_, text, expected) => {
    expect(code(() => read(text))).toBe(expected);
  });

  it.each([
    ['a surrogate pair', '"\\ud83d\\ude00"'],
    ['the deepest that is allowed', nested(MAX_DEPTH)],
    ['brackets inside a text', JSON.stringify({ a: '[{'.repeat(100) })],
    ['quotes and backslashes inside a text', JSON.stringify({ a: '\\"', b: '"\\\\"', 'c"': ':::' })],
    ['the same name in two objects', '[{"a":1},{"a":2}]'],
    ['names that objects have anyway', '{"constructor":1,"toString":2}'],
  ])('with %s is accepted', (_, text) => {
    expect(read(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ['an overlong form', [0x22, 0xc0, 0x80, 0x22]],
    ['a surrogate encoded as UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a cut-off sequence', [0x22, 0xe2, 0x82, 0x22]],
    ['Latin-1', [0x22, 0xe4, 0x22]],
  ])('of %s is no UTF-8 and refused', (_, bytes) => {
    expect(code(() => readJson(Buffer.from(bytes)))).toBe('bad-json');
  });

  it('never puts the body into the problem', () => {
    try {
      read('{"SENTINEL": SENTINEL}');
    } catch (error) {
      expect((error as Problem).body('c')).not.toContain('SENTINEL');
      expect(String((error as Problem).stack)).not.toContain('SENTINEL');
    }
  });
});

describe('An address', () => {
  it.each(['/v1/tickets?limit=5', '/v1/tickets?q=%C3%A4%20%F0%9F%98%80', '/'])('is accepted: %s', (url) => {
    expect(code(() => checkUrl(url))).toBe('accepted');
  });
  it.each([
    ['/v1/tickets?q=%00', 'bad-text'],
    ['/v1/tickets/%ED%A0%80', 'bad-request'],
    ['/v1/tickets?q=%zz', 'bad-request'],
    ['/v1/tickets?q=%C3', 'bad-request'],
    ['/v1/\u00e4', 'bad-request'],
  ])('is refused: %s', (url, expected) => {
    expect(code(() => checkUrl(url))).toBe(expected);
  });
});

describe('The canonical form', () => {
  it('is the same for the same members in any order, and differs where a value does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonical(turned)).toBe(canonical(value));
        expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { verbose: 1 },
    );
    expect(canonical({ a: 1, b: undefined })).toBe(canonical({ a: 1 }));
    expect(canonical({ a: '1' })).not.toBe(canonical({ a: 1 }));
  });
});

describe('A storable text', () => {
  it('has neither U+0000 nor a lone surrogate', () => {
    expect(isStorable('ä😀')).toBe(true);
    expect(isStorable('\0')).toBe(false);
    expect(isStorable('😀'.slice(1))).toBe(false);
  });
});
