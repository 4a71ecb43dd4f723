export { privateFolder, syncFolder, writeDurably } from './durable.js';
export { keptSecret, openSecrets, SecretRefused, type GivenSecrets, type Secrets } from './secrets.js';
