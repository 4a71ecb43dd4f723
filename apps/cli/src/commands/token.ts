import { parseArgs } from 'node:util';
import { openSecrets } from '#adapters/files';
import { mintToken, readSettings, TOKEN_ROLES, type TokenRole } from '#edge';
import { UsageError, writeLine, type CommandBody } from '../program.js';

/** Needs no database: a token is a signature. */
export const tokenCommand: CommandBody = async (args, { env, stdout }) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      role: { type: 'string' },
      name: { type: 'string' },
      email: { type: 'string' },
      vendor: { type: 'string' },
      customer: { type: 'string' },
    },
  });
  const { role, name, ...optional } = values;
  if (role === undefined || name === undefined) throw new UsageError('--role and --name are needed');
  if (!isRole(role)) throw new UsageError(`--role is one of ${TOKEN_ROLES.join(', ')}`);
  // With OIDC_ISSUER set this fails: then only the issuer's tokens count (ruling 33).
  const settings = readSettings(env);
  const embedded = settings.databaseUrl === undefined;
  const { authSecret } = await openSecrets({
    dataDir: settings.dataDir,
    given: settings.secrets,
    make: embedded,
    files: embedded,
  });
  await writeLine(stdout, await mintToken(authSecret, { role, name, ...optional }));
  return 0;
};

const isRole = (role: string): role is TokenRole => TOKEN_ROLES.some((known) => known === role);
