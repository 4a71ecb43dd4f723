export {
  CHANGE_KINDS,
  mappedColumns,
  mappingRef,
  type ChangeKind,
  type ImportMapping,
  type NamedColumn,
  type StateMeaning,
} from './mapping.js';
export { placed, timeFormat } from './times.js';
export {
  caseReader,
  MappingMismatch,
  type CaseReader,
  type CaseRow,
  type CaseRows,
  type PersonOf,
  type RawRow,
  type Rejected,
} from './rows.js';
export {
  caseIds,
  commandsOf,
  NEW_CASE,
  planCase,
  type CaseCommands,
  type CaseIds,
  type CasePlan,
  type CaseSoFar,
  type PlannedChange,
} from './plan.js';
export { Counts, Tally } from './tally.js';
export { casesSoFar, takeIn, type ImportDesk, type TakenIn } from './take-in.js';
