export { announce, isLate, LATE_SECONDS, type Announcement } from './announcing.js';
export {
  OutletRefused,
  OutletUnavailable,
  Superseded,
  type Hold,
  type Outlet,
  type Standing,
} from './outlet.js';
export { ForeignStanding, relay, type Relaying, type RelayingWatch } from './relaying.js';
export { memoryOutlet, type MemoryOutlet } from './memory-outlet.js';
