/**
 * Parent of a Kafka's nodes (scripts/kafka.mjs): starts and signals them as it is told, and where the process
 * that wants them ends, however it ends, kills them and removes their folder. In a session of its own, so that
 * a Ctrl-C meant for that process does not reach them first.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync, rmSync } from 'node:fs';

const [home] = process.argv.slice(2);
const nodes = new Map();

process.on('message', ({ node, start, signal }) => {
  if (start) {
    const out = openSync(start.output, 'a');
    const child = spawn('java', start.args, { cwd: home, stdio: ['ignore', out, out] });
    closeSync(out);
    nodes.set(node, child);
    child.once('error', (error) => tell({ node, ended: error.message }));
    child.once('exit', (code, by) => {
      nodes.delete(node);
      tell({ node, ended: by ?? String(code) });
    });
  } else nodes.get(node)?.kill(signal);
});

const tell = (news) => process.connected && process.send(news);

process.once('disconnect', async () => {
  const left = [...nodes.values()].map((child) => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    return ended;
  });
  await Promise.all(left);
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  process.exit();
});
