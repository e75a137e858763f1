/** Real brokers: the built main.js as a process of its own, killed, ended and started again as an operator or a crash would. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll } from '@jest/globals';
import { stringify } from 'yaml';
import { realClock } from '../clock.js';
import { freePort } from '../../../scripts/free-port.js';
import { calls, type Calls } from '../calls.js';
import { temporaryDirectory } from '../directory.js';
import { createIssuer, type TestIssuer, type TokenWish } from '../issuers/issuer.js';
import { until } from '../until.js';

export const TICKETS = 'https://tickets.example';

export interface BrokerProcess extends Calls {
  url: string;
  operations: Calls;
  lab: TestIssuer;
  /** The configuration file, and where it lies. */
  config: string;
  directory: string;
  /** An identity token of `lab:<sub>`, of the team `sre`. */
  identity(sub: string, wish?: TokenWish): Promise<string>;
  /** Everything written to standard output and standard error so far, by every process started here. */
  output(): string;
  isReady(): Promise<boolean>;
  kill(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** The exit code, once it has ended. */
  ended(): Promise<number | null>;
  /** The process id of the one started last. */
  pid(): number;
  /** Runs a command line beside it, as a process with the same configuration. */
  mayfly(...argv: string[]): { ended: number | string | null; said: string };
  /** Resolves when it is ready, or as soon as it lives. */
  start(until?: 'ready' | 'live'): Promise<void>;
}

export interface ProcessWish {
  config?: Record<string, unknown>;
  env?: Record<string, string>;
  /** Another broker of the same deployment: same issuer, same identities, its own addresses. */
  like?: BrokerProcess;
  /** Changes the command line that starts it. */
  command?: (...argv: string[]) => string[];
  /** How far its first start must come; default: it is ready. */
  until?: 'ready' | 'live';
}

const [main, cli] = [resolve('dist/src/main.js'), resolve('dist/src/cli/main.js')];
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

export async function startProcess(wish: ProcessWish = {}): Promise<BrokerProcess> {
  const lab = wish.like?.lab ?? (await createIssuer({ clock: realClock }));
  const directory = temporaryDirectory();
  const [port, operationsPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const issuer = wish.like?.url ?? url;
  writeFileSync(join(directory, 'lab.json'), JSON.stringify(lab.jwks()));
  const config = join(directory, 'mayfly.yaml');
  const settings = {
    issuer,
    listen: `127.0.0.1:${port}`,
    operations: `127.0.0.1:${operationsPort}`,
    store: 'lmdb:./store',
    trust: [{ name: 'lab', kind: 'oidc', issuer: lab.url, jwks: { file: './lab.json' }, owner: { claim: 'team' } }],
    targets: [{ resource: TICKETS, minter: 'jwt' }],
    policy: { engine: 'cedar', directory: resolve('config/policies') },
    limits: { perWorkloadPerMinute: 100_000, perIssuerPerMinute: 100_000 },
    drainSeconds: 0,
    ...wish.config,
  };
  writeFileSync(config, stringify(settings));

  let child: ChildProcess | undefined;
  let written = '';
  const operations = calls(`http://127.0.0.1:${operationsPort}`);
  const is = async (state: 'ready' | 'live') =>
    (await operations.get(`/health/${state}`).catch(() => undefined))?.status === 200;
  const ended = async () => {
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child?.exitCode ?? null;
  };
  const env = { PATH: process.env['PATH'] ?? '', MAYFLY_CONFIG: config, ...wish.env };
  const commandOf = (...argv: string[]): [string, string[]] => {
    const [program = '', ...args] = (wish.command ?? ((...same) => same))(process.execPath, ...argv);
    return [program, args];
  };
  const start = async (state: 'ready' | 'live' = 'ready') => {
    const started = spawn(...commandOf(main), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [started.stdout, started.stderr]) stream.on('data', (text) => (written += String(text)));
    running.add((child = started));
    const reached = () => is(state).then((yes) => yes || failIfOver(started, written));
    await until(reached, `the broker is not ${state}`);
  };
  await start(wish.until);
  return {
    ...calls(url),
    url,
    operations,
    lab,
    config,
    directory,
    identity: (sub, more) => lab.token({ sub, team: 'sre', aud: issuer, ...more }),
    output: () => written,
    isReady: () => is('ready'),
    ended,
    start,
    mayfly(...argv) {
      const { status, signal, stdout, stderr } = spawnSync(...commandOf(cli, ...argv), { env, encoding: 'utf8' });
      return { ended: status ?? signal, said: stdout + stderr };
    },
    pid: () => child?.pid ?? 0,
    signal: (name) => void child?.kill(name),
    async kill() {
      child?.kill('SIGKILL');
      await ended();
    },
  };
}

function failIfOver({ exitCode }: ChildProcess, written: string): boolean {
  if (exitCode !== null) throw new Error(`the broker ended with ${exitCode}: ${written.slice(-500)}`);
  return false;
}
