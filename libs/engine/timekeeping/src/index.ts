export {
  keepTime,
  type Dues,
  type DueRow,
  type DueCursor,
  type Timekeeping,
  type TimekeepingWatch,
} from './keeping-time.js';
export { recording, type Recorder } from './recording.js';
