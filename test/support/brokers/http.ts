/** A whole broker in this process: composed as main.ts does, over LMDB in a temporary directory or over Redis, with a clock turned by hand. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { compose, type Broker } from '../../../src/compose/broker.js';
import type { Environment } from '../../../src/config/environment.js';
import { loadConfig } from '../../../src/config/load.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { freePort } from '../../../scripts/free-port.js';
import { calls, type Calls } from '../calls.js';
import { handClock, type HandClock } from '../clock.js';
import { assertAsPromised } from '../contracts.js';
import { temporaryDirectory } from '../directory.js';
import { createIssuer, type TestIssuer, type TokenWish } from '../issuers/issuer.js';
import { writePolicies } from '../policy.js';

export const TICKETS = 'https://tickets.example';
export const WIKI = 'https://wiki.example';

export interface TestBroker extends Calls {
  url: string;
  operationsUrl: string;
  clock: HandClock;
  /** The path of its configuration file, for the command line. */
  configFile: string;
  /** The two issuers that the broker trusts: `lab` for workloads, `staff` for persons. */
  lab: TestIssuer;
  staff: TestIssuer;
  work: Broker['work'];
  /** Returns an identity token of `lab:<sub>`, whose team is `sre` unless the claims say otherwise. */
  identity(sub: string, wish?: TokenWish): Promise<string>;
  person(sub: string, wish?: TokenWish): Promise<string>;
  /** Advances the clock, and then checks fitness as the schedule would. */
  advance(ms: number): Promise<void>;
  /** Returns everything logged so far, as it was written. */
  logged(): string;
  reloadPolicies: Broker['reloadPolicies'];
  close(): Promise<void>;
  /** Starts another broker on the same store with the same configuration. On LMDB, the first must be closed before. */
  again(): Promise<TestBroker>;
  /** Starts another broker beside this one on the same Redis, with a clock of its own. */
  beside(clock: HandClock): Promise<TestBroker>;
}

export interface BrokerWish {
  /** Without it, the store is LMDB. Redis has a real clock, so the clock turned by hand starts at the real time. */
  redisUrl?: string;
  /** These members replace members of the configuration. */
  config?: Record<string, unknown> | ((issuer: string) => Record<string, unknown>);
  /** A clock that several brokers share. */
  clock?: HandClock;
  /** Further issuers that the broker trusts, besides `lab` and `staff`. */
  trust?: object[];
  /** Further policies, besides those of config/policies. */
  policies?: string;
  env?: Environment;
}

interface Setting {
  path: string;
  clock: HandClock;
  lab: TestIssuer;
  staff: TestIssuer;
  env: Environment;
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
        groups: { claim: 'groups' },
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
  return startFrom({ path, clock, lab, staff, env: wish.env ?? {} });
}

async function startFrom(setting: Setting): Promise<TestBroker> {
  const { path, clock, lab, staff, env } = setting;
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } });
  const loaded = await loadConfig({ path, env });
  const broker = await compose(loaded, { clock, log });
  const addresses = await broker.start({ scheduled: false });
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= broker.close({ pauseMs: 0, patienceMs: 60_000 }));
  running.push(close);
  const signedBy = (issuer: TestIssuer) => (sub: string, wish?: TokenWish) =>
    issuer.token({ sub, team: 'sre', aud: loaded.config.issuer, ...wish });
  return {
    ...addresses,
    ...calls(addresses.url, assertAsPromised),
    clock,
    configFile: path,
    lab,
    staff,
    work: broker.work,
    identity: signedBy(lab),
    person: (sub, wish) => signedBy(staff)(sub, { groups: [], ...wish }),
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
    async beside(other) {
      const directory = temporaryDirectory();
      cpSync(dirname(path), directory, { recursive: true });
      const config = { ...(parse(readFileSync(path, 'utf8')) as object), listen: `127.0.0.1:${await freePort()}` };
      writeFileSync(join(directory, basename(path)), stringify(config));
      return startFrom({ ...setting, path: join(directory, basename(path)), clock: other });
    },
  };
}

const OWNED = { owner: { claim: 'team' }, claims: ['team', 'labels', 'level'] };

const running: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(running.map((close) => close())));

/** The policies that the configuration names, and those that a test adds. */
function policyDirectory(more: string | undefined): string {
  const shipped = resolve('config/policies');
  if (more === undefined) return shipped;
  const directory = temporaryDirectory();
  cpSync(shipped, directory, { recursive: true });
  return writePolicies({ 'test.cedar': more }, directory);
}
