// breaks no-restricted-properties: Settings are parsed once
export const port = (): string | undefined => process.env.PORT;
