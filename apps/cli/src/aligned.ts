/**
 * Rows of cells as lines of text, their columns under each other.
 *
 * @param rows the first holds the titles
 * @param figures titles of the columns whose cells end under each other
 */
export function* aligned(
  rows: readonly (readonly string[])[],
  figures: ReadonlySet<string>,
): Generator<string> {
  const [titles = []] = rows;
  const widths = titles.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  for (const row of rows)
    yield row
      .map((cell, i) => (figures.has(titles[i]!) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
}
