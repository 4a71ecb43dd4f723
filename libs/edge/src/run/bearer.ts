import { notAuthenticated } from '../auth/tokens.js';

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]{1,8192}=*) *$/i;

/** The token of an `Authorization` header (RFC 6750). @throws Problem `not-authenticated` */
export function bearer(header: string | undefined): string {
  if (header === undefined) throw notAuthenticated('This needs a token: Authorization: Bearer <token>.');
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw notAuthenticated('The token is not valid.', 'invalid_token');
  return token;
}
