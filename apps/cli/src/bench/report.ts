import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { benches, type BenchName } from './benches.js';
import { rounded, type BenchResult } from './bench.js';
import type { Machine } from './machine.js';

const HEAD = `# Benchmarks

Written by \`npm run bench -- NAME\`, one section a bench, each by its last complete run. Figures are medians
and promise no more than four digits; bars are those the project holds itself to, on 2 cores with everything
on one machine and durable commits.
`;

/** The object of DESIGN section 9, on one line. */
export function resultLine(name: BenchName, { figures, bars }: BenchResult): string {
  return JSON.stringify({
    bench: name,
    figures: Object.fromEntries([...figures].map(([figure, { value }]) => [figure, rounded(value)])),
    bars: bars.map(({ name, value, bar, holds, reason }) => ({
      name,
      value: rounded(value),
      bar,
      holds,
      ...(reason !== undefined && { reason }),
    })),
  });
}

/** Replaces the bench's section, or adds it; all else stays as it is. */
export async function writeSection(
  path: string,
  name: BenchName,
  result: BenchResult,
  machine: Machine,
): Promise<void> {
  const before = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return HEAD;
    throw error;
  });
  const [opening, closing] = [`<!-- bench ${name} -->`, `<!-- end of bench ${name} -->`];
  const text = `${opening}\n${section(name, result, machine)}\n${closing}`;
  const [from, to] = [before.indexOf(opening), before.indexOf(closing)];
  const after =
    from >= 0 && to > from
      ? before.slice(0, from) + text + before.slice(to + closing.length)
      : `${before.trimEnd()}\n\n${text}\n`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, after);
}

export function section(name: BenchName, { figures, bars, seconds }: BenchResult, machine: Machine): string {
  return [
    `## ${name}`,
    '',
    benches[name].about,
    '',
    '| bar | value | | |',
    '| --- | ---: | --- | --- |',
    ...bars.map(
      (bar) =>
        `| ${bar.name} | ${rounded(bar.value)} ${bar.unit} | ${bar.atMost ? 'at most' : 'at least'} ${bar.bar} ${bar.unit} | ${bar.holds ? 'holds' : 'missed'}${bar.reason === undefined ? '' : `: ${bar.reason}`} |`,
    ),
    '',
    '| figure | value | unit |',
    '| --- | ---: | --- |',
    ...[...figures].map(([figure, { value, unit }]) => `| ${figure} | ${rounded(value)} | ${unit} |`),
    '',
    `${new Date().toISOString().slice(0, 10)}, ${seconds.toFixed(0)} s on ${machine.processor}, ${machine.memory}, ${machine.system}; Node ${machine.node}; PostgreSQL ${machine.postgres}; one durable write of 8 KiB: ${machine.flush}.`,
  ].join('\n');
}
