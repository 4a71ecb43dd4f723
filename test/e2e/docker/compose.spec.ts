import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import { readSettings, type Program } from '#edge';
import { environmentOf, readCompose, type Compose, type Contained } from '../../support/compose.js';
import { readDockerfile, variablesOf } from '../../support/dockerfile.js';

const FILES = ['docker/compose.single.yaml', 'docker/compose.full.yaml'] as const;
const PLACE = 'docker/secrets';

const image = readDockerfile(readFileSync('docker/Dockerfile', 'utf8')).at(-1)!;
/** Variables of Node's own that the image sets. */
const OF_NODE = ['NODE_ENV', 'NODE_OPTIONS'];
const apps = readdirSync('apps').filter((app) => existsSync(`apps/${app}/src/main.ts`));

let folder: string;
/** `docker/` as it is once the script has made the secrets. */
let docker: string;

const isApp = (service: Contained): boolean =>
  service.build !== undefined && service.entrypoint === undefined;
const servicesOf = ({ services }: Compose): [string, Contained][] => Object.entries(services);

async function programOf(app: string): Promise<Program> {
  const { program } = (await import(`../../../apps/${app}/src/program.js`)) as { program: Program };
  return program;
}

if (spawnSync('openssl', ['version']).status !== 0)
  it('openssl is not here: NOTHING of the compose files was tested', () => {
    process.stderr.write('\n!!! openssl is not here: NOTHING of the compose files was tested\n');
  });
else {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'covenant-docker-'));
    docker = join(folder, 'docker');
    cpSync('docker', docker, { recursive: true, filter: (path) => normalize(path) !== PLACE });
    execFileSync(process.execPath, [join(docker, 'secrets.mjs')], { stdio: 'pipe' });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe.each(FILES)('%s', (path) => {
    const compose = readCompose(path);
    const made = (): string => join(docker, relative('docker', path));

    it('names images by their full version, or builds them here', () => {
      for (const [name, { image, build }] of servicesOf(compose)) {
        if (build === undefined)
          expect([name, image]).toEqual([name, expect.stringMatching(/:v?\d+\.\d+(\.\d+)?(-[\w.-]+)?$/)]);
        else {
          const context = join(dirname(path), build.context);
          expect([name, relative('.', context)]).toEqual([name, '']);
          expect(existsSync(join(context, build.dockerfile))).toBe(true);
        }
      }
    });

    it('starts apps that there are, or scripts that are in the image', () => {
      const copied = image.instructions
        .filter(({ name, flags }) => name === 'COPY' && flags.from === undefined)
        .flatMap(({ words }) => words.slice(0, -1));
      for (const [name, service] of servicesOf(compose)) {
        if (isApp(service)) expect(apps).toContain(service.command?.[0]);
        else if (service.build) {
          expect([name, service.entrypoint![0]]).toEqual([name, 'node']);
          expect(copied).toContain(service.entrypoint![1]);
        }
      }
    });

    it('gives every app variables that its own parser knows, and takes', async () => {
      for (const [name, service] of servicesOf(compose).filter(([, service]) => isApp(service))) {
        const program = await programOf(service.command![0]!);
        const given = { ...variablesOf(image), ...environmentOf(service, made()) };
        const asked = new Set<string>();
        const watched = new Proxy(given as Record<string, string | undefined>, {
          get: (env, variable) => {
            asked.add(String(variable));
            return env[String(variable)];
          },
        });
        const settings = readSettings(watched, program);
        const unknown = Object.keys(given).filter(
          (variable) => !asked.has(variable) && !OF_NODE.includes(variable),
        );
        expect([name, unknown]).toEqual([name, []]);
        expect(settings).toMatchObject({ host: '0.0.0.0', port: 3000 });
      }
    });

    it('holds no secret, and publishes nothing beyond this machine', () => {
      expect(readFileSync(path, 'utf8')).not.toMatch(/:\/\/[^\s/]*:[^\s/]*@/);
      for (const [name, { environment, ports }] of servicesOf(compose)) {
        for (const variable of Object.keys(environment ?? {}))
          expect([name, variable]).toEqual([
            name,
            expect.not.stringMatching(/PASSWORD|SECRET|KEY$|TOKEN|_URL$/),
          ]);
        for (const port of ports ?? [])
          expect([name, port]).toEqual([name, expect.stringMatching(/^127\.0\.0\.1:\d+:\d+$/)]);
      }
    });

    it('asks for files, volumes and services that there are', () => {
      for (const [name, service] of servicesOf(compose)) {
        for (const file of service.env_file ?? [])
          expect([name, file, existsSync(join(docker, file))]).toEqual([name, file, true]);
        for (const volume of service.volumes ?? []) {
          const [source] = volume.split(':') as [string];
          const there = source.startsWith('.')
            ? existsSync(join(docker, source))
            : compose.volumes.includes(source);
          expect([name, source, there]).toEqual([name, source, true]);
        }
        for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
          const awaited = compose.services[other];
          expect([name, other, awaited !== undefined]).toEqual([name, other, true]);
          if (condition === 'service_healthy')
            expect(awaited!.healthcheck?.test ?? (isApp(awaited!) && 'of the image')).toBeTruthy();
          else expect([condition, awaited!.restart]).toEqual(['service_completed_successfully', undefined]);
        }
      }
    });

    it('gives its apps addresses of its own services', () => {
      for (const [, service] of servicesOf(compose))
        for (const [variable, value] of Object.entries(environmentOf(service, made()))) {
          if (!/^(DATABASE_URL|EVENTSTORE_URL|EVENTSTORE_ADMIN_URL|KAFKA_BROKERS)$/.test(variable)) continue;
          const hosts =
            URL.canParse(value) && value.includes('//')
              ? [new URL(value).hostname]
              : value.split(',').map((broker) => broker.split(':')[0]!);
          for (const host of hosts) expect(Object.keys(compose.services)).toContain(host);
        }
    });
  });

  describe('The full set', () => {
    const { services } = readCompose('docker/compose.full.yaml');

    it('runs every app there is, each once and apart', () => {
      const run = Object.values(services)
        .filter(isApp)
        .map(({ command }) => command![0]!);
      expect(run.sort()).toEqual(apps.filter((app) => !['standalone', 'cli'].includes(app)).sort());
    });

    it('reaches its log over TLS, as a user of its own who is no administrator', () => {
      const given = environmentOf(services.api!, join(docker, 'compose.full.yaml'));
      const { username, searchParams } = new URL(given.EVENTSTORE_URL!);
      expect([username, searchParams.get('tls')]).toEqual(['covenant', 'true']);
      expect(services.api!.volumes).toContain('./secrets/certificates/authority:/certs:ro');
      expect(searchParams.get('tlsCAFile')).toBe('/certs/ca.crt');
    });

    it('gives the administrator’s address to who makes the user, and keys and log to the desk alone', () => {
      const holders = (variable: string): string[] =>
        Object.entries(services)
          .filter(([, service]) => environmentOf(service, join(docker, 'compose.full.yaml'))[variable])
          .map(([name]) => name)
          .sort();
      const desk = ['api', 'projector', 'relay', 'timekeeper'];
      expect(holders('EVENTSTORE_ADMIN_URL')).toEqual(['eventstoredb-user']);
      expect(holders('MASTER_KEY')).toEqual(desk);
      expect(holders('EVENTSTORE_URL')).toEqual([...desk, 'eventstoredb-user'].sort());
      expect(holders('KAFKA_BROKERS')).toEqual(['analytics', 'knowledge-base', 'relay']);
    });
  });

  describe('The secrets of the full set', () => {
    const at = (...path: string[]): string => join(docker, 'secrets', ...path);
    const mode = (path: string): number => statSync(path).mode & 0o777;

    it('are made once, for the eyes of one user, and ignored by git', () => {
      expect(mode(at())).toBe(0o700);
      for (const file of readdirSync(at()).filter((file) => file.endsWith('.env') || file.endsWith('.key')))
        expect([file, mode(at(file))]).toEqual([file, 0o600]);
      const before = readFileSync(at('app.env'), 'utf8');
      expect(() => execFileSync(process.execPath, [join(docker, 'secrets.mjs')], { stdio: 'pipe' })).toThrow(
        /is there already/,
      );
      expect(readFileSync(at('app.env'), 'utf8')).toBe(before);
      expect(readFileSync('.gitignore', 'utf8').split('\n')).toContain('docker/secrets*/');
    });

    it('hold a certificate that is good for the service’s name and for both sides of a connection', () => {
      const verify = (purpose: string): string =>
        execFileSync('openssl', [
          'verify',
          '-CAfile',
          at('certificates/authority/ca.crt'),
          '-purpose',
          purpose,
          '-verify_hostname',
          'eventstoredb',
          at('certificates/node/node.crt'),
        ]).toString();
      for (const purpose of ['sslserver', 'sslclient']) expect(verify(purpose)).toMatch(/: OK\n$/);
    });

    it('are other ones each time', () => {
      const other = resolve(folder, 'other');
      execFileSync(process.execPath, [join(docker, 'secrets.mjs'), other], { stdio: 'pipe' });
      const lines = (path: string): string[] =>
        readFileSync(join(path, 'app.env'), 'utf8').trim().split('\n');
      const [here, there] = [lines(at()), lines(other)];
      expect(here.filter((line) => there.includes(line))).toEqual([]);
    });
  });
}
