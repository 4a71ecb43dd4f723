// breaks no-restricted-syntax: Time arrives as an argument
export const today = (): Date => new Date();
