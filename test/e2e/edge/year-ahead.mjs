/** A machine whose clock is a year ahead. */
const YEAR = 365 * 86_400_000;
const RealDate = Date;
const now = () => RealDate.now() + YEAR;
globalThis.Date = class Date extends RealDate {
  constructor(...given) {
    super(...(given.length === 0 ? [now()] : given));
  }
  static now() {
    return now();
  }
};
