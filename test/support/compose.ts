import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseDocument } from 'yaml';

export interface Contained {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly env_file?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly restart?: string;
}

export interface Compose {
  readonly services: Readonly<Record<string, Contained>>;
  readonly volumes: readonly string[];
}

/** @throws with all that is wrong with it as YAML */
export function readCompose(path: string): Compose {
  const document = parseDocument(readFileSync(path, 'utf8'), { merge: true, strict: true });
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  const { services, volumes } = document.toJS() as { services: Compose['services']; volumes?: object };
  return { services, volumes: Object.keys(volumes ?? {}) };
}

/** What compose gives the container: the files, then what stands in the service, `${NAME:-default}` filled. */
export function environmentOf(
  service: Contained,
  path: string,
  outside: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const files = (service.env_file ?? []).flatMap((file) =>
    readFileSync(join(dirname(path), file), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const filled = Object.entries(service.environment ?? {}).map(([name, value]) => [
    name,
    value.replaceAll(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, variable: string, absent: string | undefined) => {
      const given = outside[variable] ?? absent;
      if (given === undefined) throw new Error(`${variable} is neither given nor has it a default`);
      return given;
    }),
  ]);
  return Object.fromEntries([...files, ...filled]) as Record<string, string>;
}
