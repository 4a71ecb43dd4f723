// breaks no-restricted-properties: Time arrives as an argument
export const limit = (): AbortSignal => AbortSignal.timeout(1_000);
