// breaks no-restricted-globals: setTimeout
export const later = (work: () => void): NodeJS.Timeout => setTimeout(work, 1_000);
