/**
 * A real Apache Kafka without containers: `node scripts/kafka.mjs [--version 3.9|4|X.Y.Z] [--brokers N]`
 * prints its address and runs until it is told to end; `--resolve` only fetches it. Tests import it.
 *
 * Maven resolves the broker and what it needs into the user's cache, once a version. It runs in KRaft mode on
 * loopback, on free ports, with its data in a temporary folder that is gone afterwards; a guard process
 * (kafka-guard.mjs) sees to that even where this one is killed. It needs Node, Java 17 and, the first time,
 * Maven and a network; it imports no package.
 */
import { execFile, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const GUARD = fileURLToPath(new URL('./kafka-guard.mjs', import.meta.url));
const executed = promisify(execFile);

/** What is meant by a short version; each was tried with this project. */
export const VERSIONS = { 3.9: '3.9.2', 4: '4.4.0' };
export const DEFAULT_VERSION = '3.9';

/** Milliseconds. */
const RESOLVING = 300_000;
const STARTING = 60_000;
const STOPPING = 30_000;

/** There is no Kafka to be had on this machine; the message says why, in one line. */
export class KafkaAbsent extends Error {
  name = 'KafkaAbsent';
}

/**
 * Folder with the broker's jars, fetched at the first call.
 * @throws KafkaAbsent
 */
export async function resolveKafka(version = DEFAULT_VERSION) {
  const exact = VERSIONS[version] ?? version;
  if (!/^\d+\.\d+\.\d+$/.test(exact))
    throw new KafkaAbsent(`--version must be one of ${Object.keys(VERSIONS).join(', ')}, or X.Y.Z`);
  await needJava();
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'covenant', 'kafka');
  const folder = join(cache, exact);
  if (existsSync(folder)) return { version: exact, jars: folder };

  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, '.resolving-'));
  try {
    writeFileSync(join(work, 'pom.xml'), projectThatNeeds(exact));
    // Where another version of the plugin is the newest one day, this one still answers the same.
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
    const args = ['-B', '-q', goal, `-DoutputDirectory=${join(work, 'jars')}`];
    await executed('mvn', args, { cwd: work, timeout: RESOLVING, maxBuffer: 1 << 26 });
    // A rename has one winner, and never shows a folder that is half filled.
    if (!existsSync(folder)) renameSync(join(work, 'jars'), folder);
  } catch (error) {
    if (!existsSync(folder)) throw new KafkaAbsent(whyNotResolved(error, exact));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return { version: exact, jars: folder };
}

function whyNotResolved(error, version) {
  if (error.code === 'ENOENT') return 'Maven (mvn) is not installed';
  if (error.killed) return `Maven did not bring Kafka ${version} within ${RESOLVING / 1000} s`;
  const line = `${error.stdout ?? ''}`.split('\n').find((text) => text.includes('ERROR'));
  return `Maven could not bring Kafka ${version}: ${(line ?? error.message).slice(0, 300)}`;
}

async function needJava() {
  let told;
  try {
    told = (await executed('java', ['-version'])).stderr;
  } catch {
    throw new KafkaAbsent('Java 17 or later (java) is not installed');
  }
  const major = Number(/version "(\d+)/.exec(told)?.[1]);
  if (!(major >= 17)) throw new KafkaAbsent(`Java 17 or later is needed; this is ${told.split('\n')[0]}`);
}

/** Kafka logs through slf4j and brings no binding. */
const projectThatNeeds = (version) => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>covenant</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;

/**
 * Starts a cluster of one broker that is its own controller, or of several brokers and a controller apart, so
 * that any of the brokers can be killed.
 *
 * @param secured `{ certificate, key, user, password }` (PEM files): a second listener, TLS with SCRAM-SHA-512
 * @param settings more lines of server.properties
 * @throws KafkaAbsent
 */
export async function startKafka({ version, brokers = 1, secured, settings = {} } = {}) {
  const resolved = await resolveKafka(version);
  const home = mkdtempSync(join(tmpdir(), 'covenant-kafka-'));
  const guard = fork(GUARD, [home], { detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  guard.unref();
  const alone = brokers === 1;
  const copies = Math.min(3, brokers);
  const clusterId = randomBytes(16).toString('base64url');
  const controller = { id: alone ? 1 : 100, port: await freePort() };
  const common = {
    'controller.quorum.voters': `${controller.id}@127.0.0.1:${controller.port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL',
    'auto.create.topics.enable': 'false',
    'default.replication.factor': copies,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // A killed broker is not let in again, nor are its partitions led by another, before its session is over.
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    'log.cleaner.threads': 1,
    'log.cleaner.dedupe.buffer.size': 16 << 20,
    ...settings,
  };

  const roles = alone
    ? [{ id: 1, roles: 'broker,controller' }]
    : [
        { id: controller.id, roles: 'controller' },
        ...Array.from({ length: brokers }, (_, i) => ({ id: i + 1, roles: 'broker' })),
      ];
  const nodes = [];
  const close = async () => {
    if (!guard.connected) return;
    const ended = once(guard, 'exit');
    guard.ref();
    guard.disconnect();
    await ended;
  };
  try {
    for (const role of roles) {
      nodes.push(await newNode({ ...role, home, guard, controller, common, secured, jars: resolved.jars }));
    }
    await Promise.all(nodes.map((node) => node.format(clusterId, secured)));
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await close();
    throw error;
  }
  const serving = nodes.filter((node) => node.address !== undefined);
  return {
    version: resolved.version,
    /** `127.0.0.1:9092,…`, as KAFKA_BROKERS takes it. */
    brokers: serving.map((node) => node.address).join(','),
    /** The listener with TLS and password. */
    securedBrokers: secured && serving.map((node) => node.securedAddress).join(','),
    nodes: serving,
    /** An orderly stop, then all is removed. */
    stop: async () => {
      await Promise.all(serving.map((node) => node.stop()));
      await close();
    },
    /** All is killed and removed. */
    remove: close,
  };
}

/** One process of the cluster; it keeps its ports and its data from one start to the next. */
async function newNode({ id, roles, home, guard, controller, common, secured, jars }) {
  const serves = roles.includes('broker');
  const [port, securedPort] = serves ? [await freePort(), secured && (await freePort())] : [];
  const address = serves ? `127.0.0.1:${port}` : undefined;
  const securedAddress = securedPort ? `localhost:${securedPort}` : undefined;
  const listeners = [
    ...(serves ? [`PLAIN://127.0.0.1:${port}`] : []),
    ...(securedPort ? [`SECURED://127.0.0.1:${securedPort}`] : []),
    ...(roles.includes('controller') ? [`CONTROLLER://127.0.0.1:${controller.port}`] : []),
  ];
  const folder = join(home, `node-${id}`);
  mkdirSync(folder);
  const file = join(folder, 'server.properties');
  const output = join(folder, 'output');
  if (securedPort) {
    const pem = [secured.key, secured.certificate].map((path) => readFileSync(path, 'utf8')).join('\n');
    writeFileSync(join(folder, 'keystore.pem'), pem, { mode: 0o600 });
  }
  const lines = {
    ...common,
    'node.id': id,
    'process.roles': roles,
    listeners: listeners.join(','),
    'log.dirs': join(folder, 'data'),
    ...(serves && {
      'inter.broker.listener.name': 'PLAIN',
      'advertised.listeners': [
        `PLAIN://${address}`,
        ...(securedPort ? [`SECURED://${securedAddress}`] : []),
      ].join(','),
    }),
    ...(securedPort && {
      'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.secured.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.secured.scram-sha-512.sasl.jaas.config':
        'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      'listener.name.secured.ssl.keystore.type': 'PEM',
      'listener.name.secured.ssl.keystore.location': join(folder, 'keystore.pem'),
    }),
  };
  writeFileSync(
    file,
    Object.entries(lines)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );

  const classes = ['-cp', join(jars, '*'), '-Dorg.slf4j.simpleLogger.showThreadName=false'];
  const heap = serves ? 512 : 256;
  const java = [`-Xmx${heap}m`, '-XX:MaxGCPauseMillis=20', ...classes, 'kafka.Kafka', file];
  let ended = Promise.resolve('never started');
  let running = false;

  const signal = (name) => guard.send({ node: id, signal: name });
  const end = async (name) => {
    if (!running) return;
    signal(name);
    await ended;
  };
  return {
    id,
    address,
    securedAddress,
    /** Everything that it has said since it was first started. */
    output: () => (existsSync(output) ? readFileSync(output, 'utf8') : ''),
    format: async (clusterId) => {
      const scram = securedPort
        ? ['--add-scram', `SCRAM-SHA-512=[name=${secured.user},password=${secured.password}]`]
        : [];
      const args = ['-Xmx128m', '-XX:TieredStopAtLevel=1', ...classes, 'kafka.tools.StorageTool', 'format'];
      try {
        await executed('java', [...args, `--cluster-id=${clusterId}`, '-c', file, ...scram]);
      } catch (error) {
        throw new Error(
          `Kafka refused to format its storage: ${`${error.stdout}${error.stderr}`.slice(-1_000)}`,
        );
      }
    },
    start: async () => {
      if (running) return;
      const from = existsSync(output) ? readFileSync(output).length : 0;
      running = true;
      ended = new Promise((resolve) => {
        const heard = (news) => {
          if (news.node !== id) return;
          guard.off('message', heard);
          running = false;
          resolve(news.ended);
        };
        guard.on('message', heard);
      });
      guard.send({ node: id, start: { args: java, output } });
      const said = () => (existsSync(output) ? readFileSync(output).subarray(from).toString() : '');
      const limit = Date.now() + STARTING;
      while (!said().includes('Kafka Server started')) {
        if (!running) throw new Error(`Kafka node ${id} ended (${await ended}): ${said().slice(-2_000)}`);
        if (Date.now() > limit) throw new Error(`Kafka node ${id} did not start: ${said().slice(-2_000)}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    /** SIGTERM: it hands its partitions over first. */
    stop: async () => {
      const patience = setTimeout(() => running && signal('SIGKILL'), STOPPING);
      await end('SIGTERM');
      clearTimeout(patience);
    },
    /** SIGKILL. */
    kill: () => end('SIGKILL'),
    /** SIGSTOP: connections stay, nothing answers. */
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
  };
}

async function freePort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function main() {
  const { values } = parseArgs({
    options: {
      version: { type: 'string', default: DEFAULT_VERSION },
      brokers: { type: 'string', default: '1' },
      resolve: { type: 'boolean', default: false },
    },
  });
  if (!/^[1-9]$/.test(values.brokers)) throw new KafkaAbsent('--brokers must be a number from 1 to 9');
  const { version, jars } = await resolveKafka(values.version);
  if (values.resolve) {
    console.log(`Kafka ${version} is in ${jars} (${readdirSync(jars).length} files)`);
    return;
  }
  const signalled = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, resolve);
  });
  const alive = setInterval(() => undefined, 1 << 30);
  const kafka = await startKafka({ version, brokers: Number(values.brokers) });
  console.log(`Kafka ${kafka.version} is open: KAFKA_BROKERS=${kafka.brokers}`);
  await signalled;
  await kafka.stop();
  clearInterval(alive);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof KafkaAbsent ? `!!! NO KAFKA: ${error.message}` : error.stack);
    process.exitCode = 1;
  }
}
