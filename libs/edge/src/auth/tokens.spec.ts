import { describe, expect, it } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { identities } from '#engine/identity';
import { Problem } from '../problem/problem.js';
import { doorkeeper, mintPass, mintToken, TokenRefused, type TokenClaims } from './tokens.js';

const secret = Buffer.from('a secret of at least thirty-two bytes');
const persons = identities(Buffer.alloc(32, 1));
const NOW = 1_800_000_000;
const door = (now = NOW) => doorkeeper({ secret, identities: persons, now: () => now * 1000 });
const valid = { iss: 'covenant', aud: 'covenant', sub: 'alice', role: 'agent', name: 'Alice', exp: NOW + 60 };
const sign = (claims: object, key = secret, alg = 'HS256') =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(key);

const refused = async (token: string): Promise<void> => {
  const error: unknown = await door()
    .admit(token)
    .catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Problem);
  expect(error).toMatchObject({
    code: 'not-authenticated',
    httpStatus: 401,
    detail: 'The token is not valid.',
  });
  expect((error as Problem).headers()['www-authenticate']).toContain('invalid_token');
};

describe('A token', () => {
  it('makes a caller, who is the same person each time', async () => {
    const keeper = door();
    const token = await mintToken(secret, { role: 'agent', name: 'Alice', email: 'a@example.org' }, 60, NOW);
    const caller = await keeper.admit(token);
    expect(caller).toEqual({
      actor: { id: persons.person('covenant', 'alice'), role: 'agent' },
      name: 'Alice',
      email: 'a@example.org',
      role: 'agent',
      tokenExpires: NOW + 60,
    });
    expect(keeper.known(token)).toBe(caller);
  });

  it('is forgotten once it has expired', async () => {
    let now = NOW;
    const keeper = doorkeeper({ secret, identities: persons, now: () => now * 1000 });
    const token = await mintToken(secret, { role: 'agent', name: 'Alice' }, 60, NOW);
    await keeper.admit(token);
    now = NOW + 66;
    expect(keeper.known(token)).toBeUndefined();
    await expect(keeper.admit(token)).rejects.toBeInstanceOf(Problem);
  });

  it('is remembered with at most so many others', async () => {
    const keeper = doorkeeper({ secret, identities: persons, now: () => NOW * 1000, remembered: 2 });
    const tokens = await Promise.all(
      ['a', 'b', 'c'].map((name) => mintToken(secret, { role: 'agent', name }, 60, NOW)),
    );
    for (const token of tokens) await keeper.admit(token);
    expect(tokens.map((token) => keeper.known(token) !== undefined)).toEqual([false, true, true]);
  });

  it('of a vendor or customer names exactly one of them, and the person within it', async () => {
    const keeper = door();
    const [one, other] = await Promise.all(
      ['acme', 'beta'].map(async (customer) =>
        keeper.admit(await mintToken(secret, { role: 'customer', name: 'Alice', customer }, 60, NOW)),
      ),
    );
    expect(one!.customer).toBe('acme');
    expect(one!.actor.id).not.toBe(other!.actor.id);
  });

  it.each([
    ['an agent with a customer', { role: 'agent', name: 'a', customer: 'acme' }],
    ['a vendor without a vendor', { role: 'vendor', name: 'a' }],
    ['a customer with a vendor too', { role: 'customer', name: 'a', customer: 'acme', vendor: 'v' }],
    ['the house itself', { role: 'system', name: 'a' }],
    ['nobody', { role: 'agent', name: ' ' }],
  ])('is not minted for %s', async (_, claims) => {
    await expect(mintToken(secret, claims as TokenClaims)).rejects.toBeInstanceOf(TokenRefused);
  });

  it.each([
    ['that has expired', { exp: NOW - 60 }],
    ['without an end', { exp: undefined }],
    ['of another issuer', { iss: 'somebody' }],
    ['without an issuer', { iss: undefined }],
    ['for another audience', { aud: 'live' }],
    ['without an audience', { aud: undefined }],
    ['without a subject', { sub: undefined }],
    ['without a role', { role: undefined }],
    ['with an unknown role', { role: 'root' }],
    ['with an internal role', { role: 'system' }],
    ['with two roles', { role: ['agent', 'supervisor'] }],
    ['of a vendor without a vendor', { role: 'vendor' }],
    ['of a vendor with two vendors', { role: 'vendor', vendor: ['v', 'w'] }],
    ['of a customer with a vendor too', { role: 'customer', customer: 'c', vendor: 'v' }],
    ['of an agent with a customer', { customer: 'c' }],
    ['with U+0000 in the name', { name: 'a\0' }],
    ['that is not valid yet', { nbf: NOW + 60 }],
  ])('%s is refused', async (_, change) => {
    await refused(await sign({ ...valid, ...change }));
  });

  it('is refused when signed with another secret, another algorithm or not at all', async () => {
    await refused(await sign(valid, Buffer.alloc(32, 7)));
    await refused(await sign(valid, Buffer.alloc(64, 7), 'HS512'));
    await refused(await sign(valid, secret, 'HS384'));
    await refused(new UnsecuredJWT({ ...valid }).encode());
    await refused('not.a.token');
    const [header, , signature] = (await sign(valid)).split('.');
    const forged = Buffer.from(JSON.stringify({ ...valid, role: 'administrator' })).toString('base64url');
    await refused(`${header}.${forged}.${signature}`);
  });
});

describe('A pass', () => {
  it('makes the same person with the same role, known by no name, until the token ends', async () => {
    const keeper = door();
    const token = await mintToken(secret, { role: 'agent', name: 'Alice' }, 600, NOW);
    const caller = await keeper.admit(token);
    const { pass, expires } = await mintPass(secret, caller, NOW);
    expect(expires).toBe(NOW + 30);
    expect(await keeper.admitPass(pass)).toEqual({
      actor: caller.actor,
      name: '',
      role: 'agent',
      tokenExpires: NOW + 600,
    });
  });

  it('is no token, and a token is no pass', async () => {
    const token = await mintToken(secret, { role: 'agent', name: 'Alice' }, 600, NOW);
    const { pass } = await mintPass(secret, await door().admit(token), NOW);
    await refused(pass);
    await expect(door().admitPass(token)).rejects.toMatchObject({ code: 'not-authenticated' });
  });

  it('opens nothing half a minute later, and never outlives the token it was made with', async () => {
    const token = await mintToken(secret, { role: 'agent', name: 'Alice' }, 600, NOW);
    const { pass } = await mintPass(secret, await door().admit(token), NOW);
    await expect(door(NOW + 36).admitPass(pass)).rejects.toMatchObject({ code: 'not-authenticated' });
    const short = await mintToken(secret, { role: 'agent', name: 'Alice' }, 10, NOW);
    expect((await mintPass(secret, await door().admit(short), NOW)).expires).toBe(NOW + 10);
  });
});
