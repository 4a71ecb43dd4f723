// breaks directive: Unused eslint-disable directive
// eslint-disable-next-line no-empty
export const quiet = 1;
