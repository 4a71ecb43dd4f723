import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectFolder } from '../project-folder.js';

export interface KafkaServer {
  /** `3.9.2`. */
  readonly version: string;
  /** As KAFKA_BROKERS takes it. */
  readonly brokers: string;
  stop(): Promise<void>;
}

/** No broker is to be had here; the message says why. */
export class NoKafka extends Error {}

/** A real Kafka of one broker in a process of its own, from Maven. @throws NoKafka */
export async function kafkaFromMaven(): Promise<KafkaServer> {
  const script = join(await projectFolder(), 'scripts/kafka.mjs');
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let problem = '';
  child.stderr.on('data', (chunk: Buffer) => (problem += chunk.toString()));
  const [version, brokers] = await new Promise<[string, string]>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const open = /^Kafka (\S+) is open: KAFKA_BROKERS=(\S+)$/m.exec(said);
      if (open) resolve([open[1]!, open[2]!]);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new NoKafka(problem.trim().split('\n')[0] ?? 'Kafka did not start')));
  });
  return {
    version,
    brokers,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
