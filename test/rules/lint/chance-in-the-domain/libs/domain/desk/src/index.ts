// breaks no-restricted-properties: Randomness arrives as an argument
export const die = (): number => Math.random();
