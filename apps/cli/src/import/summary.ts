import { mappingRef, type Counts, type ImportMapping } from '#engine/import';
import type { Imported } from './importing.js';
import { number } from './progress.js';
import type { RejectedRows } from './rejected-rows.js';

/** Values of one column that are named; the others are counted together. */
const VALUES = 12;

/** What an import has to say at its end; its last line says how many events were appended. */
export function summary(
  { tally, policy, appended, position, parkedStreams, stopped }: Imported,
  context: { readonly mapping: ImportMapping; readonly zone: string; readonly rejected: RejectedRows },
): readonly string[] {
  const { mapping, zone, rejected } = context;
  const lines = [
    `mapping ${mappingRef(mapping)}, zone ${zone}, policy ${policy}`,
    `${number(tally.rows)} rows, ${number(tally.cases)} cases, ${number(tally.opened)} tickets opened`,
  ];
  const block = (title: string, counts: Counts): void => {
    if (counts.total === 0) return;
    lines.push(`${title}: ${number(counts.total)}`);
    for (const [name, count] of counts.entries()) lines.push(`  ${number(count).padStart(9)}  ${name}`);
  };
  block('events by type', tally.events);
  block('changes that rows told', tally.changes);
  block('rows that became no event', tally.nothing);
  block('changes left out', tally.leftOut);
  if (tally.duplicates > 0) lines.push(`rows that stood there twice: ${number(tally.duplicates)}`);
  if (tally.outOfOrder > 0)
    lines.push(
      `rows whose update time contradicts ${(mapping.order ?? []).join(', ')}, ordered by the time: ${number(tally.outOfOrder)}`,
    );
  if (tally.unmappedByColumn.size > 0) {
    lines.push('values that the mapping does not translate');
    for (const [column, counts] of tally.unmappedByColumn) lines.push(`  ${column}: ${values(counts)}`);
  }
  if (tally.disagreeing.total > 0) {
    lines.push('times that the source states and its updates contradict');
    for (const [what, count] of tally.disagreeing.entries())
      lines.push(`  ${number(count).padStart(9)}  cases: ${mapping.stated?.[what as 'opened'] ?? what}`);
  }
  block('doubtful times', tally.doubts);
  if (tally.replaced > 0)
    lines.push(`characters that are no text, replaced by U+FFFD: ${number(tally.replaced)}`);
  lines.push(`rejected rows: ${number(rejected.count)}`);
  for (const { file, line, reason } of rejected.first) lines.push(`  ${file}:${line}: ${reason}`);
  if (rejected.count > rejected.first.length)
    lines.push(
      `  … and ${number(rejected.count - rejected.first.length)} more${rejected.path ? `, all in ${rejected.path}` : '; --rejects FILE keeps them all'}`,
    );
  if (parkedStreams > 0)
    lines.push(`${number(parkedStreams)} streams are parked in the views: covenant views status says which`);
  lines.push(`views stand at ${position}`);
  if (stopped) lines.push('stopped before its end; run it again, and it goes on from here');
  return [...lines, `appended ${appended} events`];
}

function values(counts: Counts): string {
  const all = counts.entries();
  const named = all.slice(0, VALUES).map(([value, count]) => `${value} (${number(count)})`);
  const rest = all.slice(VALUES).reduce((sum, [, count]) => sum + count, 0);
  return rest === 0
    ? named.join(', ')
    : `${named.join(', ')}, ${all.length - VALUES} others (${number(rest)})`;
}
