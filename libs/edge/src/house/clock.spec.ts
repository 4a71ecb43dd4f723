import { describe, expect, it } from '@jest/globals';
import { silent } from '#kernel';
import { ClockUntrusted, openClock } from './clock.js';

/** A process’s two clocks and the server’s, all moved by hand; milliseconds. */
class Hands {
  server = 1_800_000_000_000;
  ahead = 0;
  steady = 5_000;
  /** What an answer takes. */
  roundTrip = 1;
  silent = false;

  pass(milliseconds: number): void {
    this.server += milliseconds;
    this.steady += milliseconds;
  }

  open() {
    return openClock({
      server: async () => {
        if (this.silent) throw new Error('no connection');
        this.pass(this.roundTrip / 2);
        const now = this.server * 1000;
        this.pass(this.roundTrip / 2);
        return now;
      },
      logger: silent,
      wall: () => this.server + this.ahead,
      steady: () => this.steady,
    });
  }
}

describe('The clock of the edge', () => {
  it('is trusted while it agrees with the server’s', async () => {
    const hands = new Hands();
    hands.ahead = 400;
    const clock = await hands.open();
    expect(clock.trusted).toBe(true);
    expect(clock.now()).toBe(hands.server + 400);
    expect(Math.round(clock.ahead!)).toBe(400);
    clock.close();
  });

  it.each([
    ['a year ahead', 365 * 86_400_000],
    ['an hour behind', -3_600_000],
    ['half a second and a bit ahead', 510],
  ])('tells no time when it is %s', async (_, ahead) => {
    const hands = new Hands();
    hands.ahead = ahead;
    const clock = await hands.open();
    expect(clock.trusted).toBe(false);
    expect(() => clock.now()).toThrow(ClockUntrusted);
    clock.close();
  });

  it('tells none from the moment it is set, and again once it is right', async () => {
    const hands = new Hands();
    const clock = await hands.open();
    hands.pass(30_000);
    clock.now();
    hands.ahead = 365 * 86_400_000;
    expect(() => clock.now()).toThrow(ClockUntrusted);
    await clock.compare();
    expect(clock.trusted).toBe(false);
    hands.ahead = 0;
    await clock.compare();
    expect(clock.now()).toBe(hands.server);
    clock.close();
  });

  it('is not condemned for a slow answer, nor acquitted by one', async () => {
    const hands = new Hands();
    const clock = await hands.open();
    hands.roundTrip = 4_000;
    hands.ahead = 100;
    await clock.compare();
    expect(clock.trusted).toBe(true);
    clock.close();

    hands.ahead = 800;
    const doubtful = await hands.open();
    expect(doubtful.trusted).toBe(false);
    doubtful.close();
  });

  it('keeps its verdict while the server cannot be asked', async () => {
    const hands = new Hands();
    const clock = await hands.open();
    hands.silent = true;
    await clock.compare();
    expect(clock.trusted).toBe(true);
    clock.close();
  });
});
