import { Readable, Writable } from 'node:stream';
import { covenant } from '../../../apps/cli/src/covenant.js';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process, as `npm run covenant --` would in its own. */
export async function runCovenant(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  given: { readonly stdin?: Readable; readonly signal?: AbortSignal } = {},
): Promise<Said> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const into = (chunks: Buffer[]): Writable =>
    new Writable({
      write: (chunk: Buffer, _, done) => {
        chunks.push(chunk);
        done();
      },
    });
  const code = await covenant(args, {
    env,
    stdin: given.stdin ?? Readable.from([]),
    stdout: into(out),
    stderr: into(err),
    signal: given.signal ?? new AbortController().signal,
  });
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

/** The same secrets for every store, so that two of them can be compared. */
export const SECRETS = {
  MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
  AUTH_SECRET: 'a secret that signs tokens, long enough',
  IDENTITY_SECRET: 'a secret that names persons, long enough',
} as const;

/** A small log in ServiceNow's columns. */
export const COLUMNS =
  'number,incident_state,active,reassignment_count,reopen_count,sys_mod_count,made_sla,caller_id,opened_by,opened_at,sys_created_by,sys_created_at,sys_updated_by,sys_updated_at,contact_type,location,category,subcategory,u_symptom,cmdb_ci,impact,urgency,priority,assignment_group,assigned_to,knowledge,u_priority_confirmation,notify,problem_id,rfc,vendor,caused_by,closed_code,resolved_by,resolved_at,closed_at'.split(
    ',',
  );

export type IncidentCells = Readonly<Partial<Record<string, string>>>;

const FIRST: Readonly<Record<string, string>> = {
  incident_state: 'New',
  active: 'true',
  reassignment_count: '0',
  reopen_count: '0',
  made_sla: 'true',
  caller_id: '2403',
  opened_by: '8',
  opened_at: '29/2/2016 09:00',
  sys_created_by: '6',
  sys_created_at: '29/2/2016 09:00',
  sys_updated_by: '21',
  contact_type: 'Phone',
  category: '55',
  subcategory: '170',
  impact: '2',
  urgency: '2',
  priority: '3',
  assignment_group: '56',
  closed_code: '5',
};

/** Lines of one incident; cells not given are those of the line before, times are of 29 February 2016. */
export function incident(
  number: string,
  ...updates: readonly (IncidentCells & { at: string })[]
): readonly string[] {
  let cells: Record<string, string | undefined> = { ...FIRST, number };
  return updates.map(({ at, ...changed }, i) => {
    cells = { ...cells, ...changed, sys_mod_count: String(i), sys_updated_at: `29/2/2016 ${at}` };
    return COLUMNS.map((column) => cells[column] ?? '?').join(',');
  });
}

export const table = (...lines: readonly string[]): string => `${[COLUMNS.join(','), ...lines].join('\n')}\n`;
