export { stopPostgres as default } from './postgres.global.mjs';
