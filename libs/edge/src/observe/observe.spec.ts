import { describe, expect, it } from '@jest/globals';
import { Counter } from 'prom-client';
import { openMetrics } from './metrics.js';
import { Readiness } from './readiness.js';

describe('Readiness of parts that are watched elsewhere', () => {
  const including = (parts: () => Promise<Record<string, 'ok' | 'loop-stopped' | 'log-unavailable'>>) => {
    const readiness = new Readiness();
    readiness.add('log', 'log-unavailable', () => null);
    readiness.include('followers', 'loop-stopped', parts);
    return readiness.state();
  };

  it('counts like that of its own, and a part that both watch is well where both say so', async () => {
    expect(await including(async () => ({ log: 'ok', projector: 'ok' }))).toEqual({
      ready: true,
      parts: { log: 'ok', projector: 'ok' },
    });
    expect(await including(async () => ({ log: 'log-unavailable', projector: 'loop-stopped' }))).toEqual({
      ready: false,
      parts: { log: 'log-unavailable', projector: 'loop-stopped' },
    });
  });

  it('is missed as a whole where nobody answers for them', async () => {
    expect(await including(() => Promise.reject(new Error('gone')))).toEqual({
      ready: false,
      parts: { log: 'ok', followers: 'loop-stopped' },
    });
  });
});

describe('Figures that are measured elsewhere', () => {
  const counting = (name: string) => {
    const metrics = openMetrics();
    new Counter({ name, help: 'Counted', registers: [metrics.registry] }).inc(3);
    return metrics;
  };

  it('stand beside its own, each name once', async () => {
    const metrics = counting('here_total');
    const there = counting('there_total');
    metrics.include(() => there.figures());
    const text = await metrics.text();
    expect(text).toMatch(/^here_total 3$/m);
    expect(text).toMatch(/^there_total 3$/m);
    expect(text.match(/^# TYPE process_start_time_seconds /gm)).toHaveLength(1);
  });

  it('do not fail the scrape where they cannot be had', async () => {
    const metrics = counting('here_total');
    metrics.include(() => Promise.reject(new Error('gone')));
    expect(await metrics.text()).toMatch(/^here_total 3$/m);
  });
});
