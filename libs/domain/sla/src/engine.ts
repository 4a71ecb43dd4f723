/** Version of the rules that compute facts; rises only when a result would change (ruling 8). */
export const ENGINE = '1';
