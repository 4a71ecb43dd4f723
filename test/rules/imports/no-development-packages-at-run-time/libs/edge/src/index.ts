import fc from 'fast-check';

export const other = fc;
