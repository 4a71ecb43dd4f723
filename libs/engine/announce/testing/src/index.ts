export { byKey, relayingContract, type OpenedOutlet } from './relaying-contract.js';
