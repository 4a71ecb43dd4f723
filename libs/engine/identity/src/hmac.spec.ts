import { describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { hmacSha256 } from './index.js';

describe('HMAC at one go', () => {
  it('is what Node’s own gives, for every key and text', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 150 }),
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        (secret, text) => {
          const own = hmacSha256(Buffer.from(secret))(text);
          expect(own.equals(createHmac('sha256', secret).update(text).digest())).toBe(true);
        },
      ),
    );
  });

  it('gives values that stay when the next is made', () => {
    const mac = hmacSha256(Buffer.alloc(32, 1));
    const first = mac('a');
    const kept = first.toString('hex');
    mac('b');
    expect(first.toString('hex')).toBe(kept);
  });
});
