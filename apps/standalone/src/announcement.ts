import { join } from 'node:path';
import { writeDurably } from '#adapters/files';
import type { House } from '#edge';
import type { Tokens } from './demonstration.js';

/** `AGENT_TOKEN`, `COMPLAINTS_OFFICER_TOKEN`. */
const variable = (role: string): string => `${role.toUpperCase().replaceAll('-', '_')}_TOKEN`;

/** `DATA_DIR/demo.env`: the address and the tokens as shell variables, for the README's lines (ruling 33). */
export async function writeDemoEnv(house: House, address: string, tokens: Tokens): Promise<string> {
  const path = join(house.settings.dataDir, 'demo.env');
  const lines = [
    `DESK=${address}`,
    ...Object.entries(tokens).map(([role, token]) => `${variable(role)}=${token}`),
  ];
  await writeDurably(path, `${lines.join('\n')}\n`, 0o600);
  return path;
}

/** What `npm start` says to the person in front of it. */
export function announcement(
  address: string,
  demonstration: { tokens: Tokens; path: string } | null,
): string {
  const opened = [
    `Covenant is open at ${address}`,
    `  to browse the API   ${address}/docs`,
    `  health              ${address}/health/ready`,
  ];
  if (!demonstration)
    return [...opened, '  a token             npm run covenant -- token --role agent --name alice', ''].join(
      '\n',
    );
  const { tokens, path } = demonstration;
  return [
    ...opened,
    '',
    'This is a DEMONSTRATION: everything in it is made up. A token per role, good for 12 hours, also in',
    `${path}:`,
    ...Object.entries(tokens).map(([role, token]) => `  ${role.padEnd(18)}  ${token}`),
    '',
  ].join('\n');
}
