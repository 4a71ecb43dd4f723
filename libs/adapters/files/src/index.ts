export { privateFolder, syncFolder, writeDurably, writeOnce } from './durable.js';
export { keptSecret, openSecrets, SecretRefused, type GivenSecrets, type Secrets } from './secrets.js';
