export { privateFolder, syncFolder, writeDurably, writeOnce } from './durable.js';
export {
  givenSecrets,
  keptSecret,
  openSecrets,
  SecretRefused,
  type GivenSecrets,
  type Secrets,
} from './secrets.js';
export { SourceRefused } from './bytes.js';
export { openRows, type RowBatch, type Rows } from './rows.js';
export type { RejectedRow, Row } from './csv.js';
export { openSpool, type Spool } from './spool.js';
