export { knowledge, noted, CATEGORYLESS, type Candidate } from './candidates.js';
