import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { partitionOf } from './partition.js';

describe('The partition of a key', () => {
  it.each([
    // org.apache.kafka.common.utils.UtilsTest, testMurmur2, without the sign.
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %s is the one that Kafka’s own clients choose', (key, murmur2) => {
    expect(partitionOf(key, 2 ** 31)).toBe(murmur2 & 0x7fffffff);
  });

  it('is kafkajs’s for every key', () => {
    const theirs = kafkajs.Partitioners.DefaultPartitioner();
    const partitionMetadata = Array.from({ length: 12 }, (_, partitionId) => ({
      partitionId,
      leader: 1,
      partitionErrorCode: 0,
      replicas: [],
      isr: [],
    }));
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), (key) => {
        const message = { key: Buffer.from(key), value: '' };
        expect(partitionOf(key, 12)).toBe(theirs({ topic: 't', partitionMetadata, message }));
      }),
    );
  });
});
