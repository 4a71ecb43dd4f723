export { openPostgresLog, type PostgresLog, type PostgresLogOptions } from './postgres-log.js';
export {
  openPostgresVault,
  WrongMasterKey,
  type PostgresVault,
  type PostgresVaultOptions,
} from './postgres-vault.js';
export { openNumbers, type NumberKind, type Numbers } from './numbers.js';
export {
  openPostgresCheckpoints,
  type PostgresCheckpoints,
  type PostgresCheckpointsOptions,
} from './postgres-checkpoints.js';
export { openPostgresSeal, type PostgresSeal, type PostgresSealOptions } from './postgres-seal.js';
export { migrate, type Migration } from './migrate.js';
