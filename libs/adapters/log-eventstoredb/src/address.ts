import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** `kurrentdb://` is the same under its later name. */
export function addressOf(url: string): string {
  return url.replace(/^kurrentdb(\+discover)?:\/\//, 'esdb$1://');
}

/** For logs and messages: without user and password. */
export function shown(url: string): string {
  return url.replace(/\/\/[^/?@]*@/, '//').replace(/\?.*$/, '');
}

export function hasCredentials(url: string): boolean {
  return /\/\/[^/?@]+@/.test(url);
}

const PROBE_MS = 3_000;

/**
 * What answers at the address, for telling apart what the client shows as one and the same error. An address of
 * several hosts, or one to discover, is not looked at.
 */
export async function whatAnswers(url: string): Promise<'nothing' | 'tls' | 'plain' | 'not-looked-at'> {
  const place = /^esdb:\/\/(?:[^/@]*@)?([^/?#,:]+|\[[^\]]+\])(?::(\d+))?(?:[/?#]|$)/.exec(addressOf(url));
  if (!place) return 'not-looked-at';
  const host = place[1]!.replace(/^\[|\]$/g, '');
  const port = Number(place[2] ?? 2113);
  if (!(await opens(connectPlain({ host, port }), 'connect'))) return 'nothing';
  const options = { host, port, rejectUnauthorized: false, ALPNProtocols: ['h2'] };
  return (await opens(connectTls(options), 'secureConnect')) ? 'tls' : 'plain';
}

function opens(socket: ReturnType<typeof connectPlain>, event: string): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PROBE_MS, () => done(false));
    socket.once(event, () => done(true));
    socket.on('error', () => done(false));
  });
}
