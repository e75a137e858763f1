/** A real broker in this process: composed as main.ts does, over LMDB in a temporary directory or over Redis, by a hand-turned clock. */
import { cpSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll } from '@jest/globals';
import { stringify } from 'yaml';
import { compose, type Broker } from '../../../src/compose/broker.js';
import { loadConfig } from '../../../src/config/load.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { freePort } from '../free-port.js';
import { calls, type Calls } from '../calls.js';
import { handClock, type HandClock } from '../clock.js';
import { temporaryDirectory } from '../directory.js';
import { createIssuer, type TestIssuer, type TokenWish } from '../issuers/issuer.js';
import { writePolicies } from '../policy.js';

export const TICKETS = 'https://tickets.example';
export const WIKI = 'https://wiki.example';

export interface TestBroker extends Calls {
  url: string;
  operationsUrl: string;
  clock: HandClock;
  /** Where its configuration lies: for the command line. */
  configFile: string;
  /** Trusted for workloads as `lab`, and for persons as `staff`. */
  lab: TestIssuer;
  staff: TestIssuer;
  work: Broker['work'];
  /** An identity token of `lab:<sub>`, of the team `sre` unless told otherwise. */
  identity(sub: string, wish?: TokenWish): Promise<string>;
  person(sub: string, wish?: TokenWish): Promise<string>;
  /** Turns the clock, and looks at fitness again as the schedule would. */
  advance(ms: number): Promise<void>;
  /** Everything logged so far, as written. */
  logged(): string;
  reloadPolicies: Broker['reloadPolicies'];
  close(): Promise<void>;
  /** Another broker on the same store, with the same configuration; LMDB wants the first closed. */
  again(): Promise<TestBroker>;
}

export interface BrokerWish {
  /** Of Redis; default: LMDB. The store's clock is real, so the hand clock starts at the real time. */
  redisUrl?: string;
  /** Replaces parts of the configuration. */
  config?: Record<string, unknown> | ((issuer: string) => Record<string, unknown>);
  /** Shared with others. */
  clock?: HandClock;
  /** Trusted beside `lab` and `staff`. */
  trust?: object[];
  /** Beside those of config/policies. */
  policies?: string;
}

interface Setting {
  path: string;
  clock: HandClock;
  lab: TestIssuer;
  staff: TestIssuer;
}

export async function startBroker(wish: BrokerWish = {}): Promise<TestBroker> {
  const clock = wish.clock ?? (wish.redisUrl === undefined ? handClock() : handClock(Date.now()));
  const [lab, staff] = await Promise.all([
    createIssuer({ clock }),
    createIssuer({ clock, url: 'https://staff.example' }),
  ]);
  const directory = temporaryDirectory();
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const file = (name: string, content: object) => {
    writeFileSync(join(directory, name), JSON.stringify(content));
    return { file: `./${name}` };
  };
  const config = {
    issuer,
    listen: `127.0.0.1:${port}`,
    operations: '127.0.0.1:0',
    store: wish.redisUrl ?? 'lmdb:./store',
    redis: { prefix: `test-${port}-${process.pid}:` },
    trust: [
      { name: 'lab', kind: 'oidc', issuer: lab.url, jwks: file('lab.json', lab.jwks()), ...OWNED },
      {
        name: 'staff',
        kind: 'oidc',
        issuer: staff.url,
        jwks: file('staff.json', staff.jwks()),
        represents: 'person',
        claims: ['email'],
      },
      ...(wish.trust ?? []),
    ],
    targets: [
      { resource: TICKETS, minter: 'jwt', labels: [{ match: 'incident/*/attachment/**', sensitivity: 'restricted' }] },
      { resource: WIKI, minter: 'jwt' },
    ],
    policy: { engine: 'cedar', directory: policyDirectory(wish.policies) },
    ...(typeof wish.config === 'function' ? wish.config(issuer) : wish.config),
  };
  const path = join(directory, 'mayfly.yaml');
  writeFileSync(path, stringify(config));
  return startFrom({ path, clock, lab, staff });
}

async function startFrom(setting: Setting): Promise<TestBroker> {
  const { path, clock, lab, staff } = setting;
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } });
  const loaded = await loadConfig({ path, env: {} });
  const broker = await compose(loaded, { clock, log });
  const addresses = await broker.start({ scheduled: false });
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= broker.close(60_000));
  running.push(close);
  const signedBy = (issuer: TestIssuer) => (sub: string, wish?: TokenWish) =>
    issuer.token({ sub, team: 'sre', aud: loaded.config.issuer, ...wish });
  return {
    ...addresses,
    ...calls(addresses.url),
    clock,
    configFile: path,
    lab,
    staff,
    work: broker.work,
    identity: signedBy(lab),
    person: signedBy(staff),
    async advance(ms) {
      clock.advance(ms);
      await broker.work('fitness');
    },
    logged: () => lines.join(''),
    reloadPolicies: () => broker.reloadPolicies(),
    close,
    async again() {
      if (loaded.store.kind === 'lmdb') await close();
      return startFrom(setting);
    },
  };
}

const OWNED = { owner: { claim: 'team' }, claims: ['team'] };

const running: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(running.map((close) => close())));

/** What the configuration brings along, and what a test adds. */
function policyDirectory(more: string | undefined): string {
  const shipped = resolve('config/policies');
  if (more === undefined) return shipped;
  const directory = temporaryDirectory();
  cpSync(shipped, directory, { recursive: true });
  return writePolicies({ 'test.cedar': more }, directory);
}
