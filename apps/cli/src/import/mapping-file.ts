import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { timeFormat, type ImportMapping } from '#engine/import';
import { Refused } from '../program.js';
import { projectFolder } from '../project-folder.js';

/** A mapping that ships with the program. */
export async function shippedMapping(name: string): Promise<ImportMapping> {
  return readMapping(join(await projectFolder(), 'apps/cli/mappings', `${name}.json`));
}

/**
 * A mapping as its author wrote it, checked against its published schema.
 *
 * @throws Refused with all that is wrong with it
 */
export async function readMapping(path: string): Promise<ImportMapping> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Refused(`${path}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`);
  });
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new Refused(`${path} is no JSON: ${(error as Error).message}`);
  }
  const problems = await problemsOf(given);
  if (problems.length > 0)
    throw new Refused([`${path} is no import mapping:`, ...problems.map((line) => `  ${line}`)].join('\n'));
  return given as ImportMapping;
}

async function problemsOf(given: unknown): Promise<readonly string[]> {
  const path = join(await projectFolder(), 'docs/schemas/import-mapping.schema.json');
  const schema = JSON.parse(await readFile(path, 'utf8')) as object;
  const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema);
  if (!validate(given)) {
    const problems = (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const more =
        'additionalProperty' in params ? `: ${String(params.additionalProperty)}` : allowed(params);
      return `${instancePath === '' ? 'the mapping' : instancePath.slice(1).replaceAll('/', '.')} ${message ?? 'is wrong'}${more}`;
    });
    return [...new Set(problems)];
  }
  try {
    timeFormat((given as ImportMapping).time.format);
  } catch (error) {
    return [`time.format: ${(error as Error).message}`];
  }
  return [];
}

const allowed = (params: Record<string, unknown>): string =>
  'allowedValues' in params && Array.isArray(params.allowedValues)
    ? `: ${params.allowedValues.join(', ')}`
    : '';
