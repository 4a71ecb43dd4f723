export { freeBytes, openEmbedded, type Embedded, type EmbeddedOptions } from './embedded.js';
export { EMBEDDED_REFUSALS, EmbeddedRefused, type EmbeddedRefusal } from './refused.js';
