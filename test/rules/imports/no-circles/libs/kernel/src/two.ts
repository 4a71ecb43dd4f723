import { one } from './one.js';

export const two = (): unknown => one;
