import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { zoneOf, type Zone } from '#domain/sla';
import { importLog } from '../import/importing.js';
import { readMapping, shippedMapping } from '../import/mapping-file.js';
import { progressBar } from '../import/progress.js';
import { rejectedRows } from '../import/rejected-rows.js';
import { summary } from '../import/summary.js';
import { UsageError, writeLine, type CommandBody } from '../program.js';
import { withHouse } from '../with-house.js';

export const importCommand: CommandBody = async (args, around) => {
  // On a machine with much memory V8 would rather keep garbage than collect it: 640 MB at the peak of the real
  // log, of which 150 were in use. Read anew at each collection, so it may be set while running.
  setFlagsFromString('--heap-growing-percent=60');
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      map: { type: 'string' },
      zone: { type: 'string' },
      policy: { type: 'string' },
      rejects: { type: 'string' },
    },
  });
  const [kind, ...files] = positionals;
  if (kind !== 'servicenow' && kind !== 'log') throw new UsageError('one of servicenow, log is needed');
  if ((kind === 'log') !== (values.map !== undefined))
    throw new UsageError(kind === 'log' ? '--map names the mapping' : 'servicenow has its own mapping');
  if (files.length === 0) throw new UsageError('name the files, or - for standard input');
  if (files.filter((file) => file === '-').length > 1) throw new UsageError('standard input is read once');

  const mapping = kind === 'log' ? await readMapping(values.map!) : await shippedMapping('servicenow');
  const zone: Zone = zoneOf(values.zone ?? mapping.time.zone ?? 'UTC');
  const rejected = await rejectedRows(files, values.rejects);
  const bar = progressBar(around.stderr);
  try {
    const imported = await withHouse(around, (house) =>
      importLog(
        house,
        {
          mapping,
          files,
          stdin: () => around.stdin,
          zone: zone.name,
          ...(values.policy !== undefined && { policy: values.policy }),
          folder: tmpdir(),
          signal: around.signal,
        },
        { progress: bar.show, rejected: rejected.add },
      ),
    );
    bar.clear();
    for (const line of summary(imported, { mapping, zone: zone.name, rejected }))
      await writeLine(around.stdout, line);
    return imported.stopped ? 1 : 0;
  } finally {
    bar.clear();
    await rejected.close();
  }
};
