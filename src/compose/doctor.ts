/**
 * Tries what a broker needs, before one is started or while one runs: the store with its rights, settings and clock, the
 * policies, the signing keys, the keys of every issuer, and every target. It changes nothing that a broker reads.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { approvalAdvice } from '../config/approval-advice.js';
import type { LoadedConfig } from '../config/load.js';
import { findingText } from '../config/problem.js';
import type { SystemClock } from '../domain/time.js';
import { check, degradingCheck, type Check } from '../health/check.js';
import { createFitness } from '../health/fitness.js';
import { watchClock, type WatchedClock } from '../health/watched-clock.js';
import { openIssuers, openTransmitter, type WatchedKeys } from '../identity/issuer-keys.js';
import { loadKeyEncryptionKey } from '../keys/key-encryption-key.js';
import { openKeys, type Keys } from '../keys/keys.js';
import { hasRing } from '../keys/ring-record.js';
import { checkPolicies } from '../policy/cedar/check-policies.js';
import { problemText } from '../policy/cedar/problem.js';
import { createProxyFor, type ProxyFor } from '../outbound/proxy.js';
import { probeNote } from '../policy/remote/probe.js';
import { rehearse } from '../store/redis/rehearse.js';
import type { Store } from '../store/store.js';
import { sentenceOf } from '../telemetry/safe-error.js';
import { openMinters, type MinterDeps } from './minters.js';
import { openStore, redisOptions } from './open-store.js';
import { decisionPoint } from './policy.js';

/** Returns what was tried, in the order of a start. Nothing is left out because something before it failed. */
export async function examine(loaded: LoadedConfig, system: SystemClock): Promise<Check[]> {
  const { config, directory } = loaded;
  const clock = watchClock(system, config.lifetimes.clockSkew * 1000);
  const surroundings = { clock, baseDirectory: directory, proxyFor: createProxyFor(loaded.proxy) };
  const issuers = [
    ...openIssuers(config.trust, surroundings),
    ...config.signals.transmitters.map((one) => openTransmitter(one, surroundings)),
  ];
  return [
    ...(await storeChecks(loaded, { system, clock })),
    ...(await policyChecks(config, surroundings)),
    ...(await Promise.all(issuers.map((one) => attempt(one.name, () => noteOf(one))))),
  ];
}

/** Returns what is worth a note about keys that can be read. */
async function noteOf({ keys, look }: WatchedKeys): Promise<string | undefined> {
  await keys.current();
  const trouble = await look();
  return trouble === undefined ? undefined : sentenceOf(trouble);
}

/** @param work Returns a text where something is worth a note. Rejects where something is wrong. */
async function attempt(name: string, work: () => Promise<unknown>): Promise<Check> {
  try {
    const found = await work();
    return typeof found === 'string' ? degradingCheck(name, false, found) : { name, ok: true };
  } catch (error) {
    return check(name, false, sentenceOf(error));
  }
}

/** What an engine elsewhere asks people is not known before it does. */
async function policyChecks(config: LoadedConfig['config'], { proxyFor }: { proxyFor: ProxyFor }): Promise<Check[]> {
  const { policy } = config;
  if (policy.engine !== 'cedar') return [await attempt('policy', () => probeNote(decisionPoint(policy, proxyFor)))];
  const found = checkPolicies(policy.directory, config);
  const checked = await attempt('policy', async () => {
    const { problems } = await found;
    if (problems.length > 0) throw new Error(problems.map(problemText).join('; '));
  });
  if (!checked.ok || (await found).asks.length === 0) return [checked];
  const advice = approvalAdvice(config).map(findingText);
  return [checked, degradingCheck('approvals', advice.length === 0, advice.join('; '))];
}

interface Clocks {
  system: SystemClock;
  clock: WatchedClock;
}

async function storeChecks(loaded: LoadedConfig, clocks: Clocks): Promise<Check[]> {
  const { config, store: where } = loaded;
  if (where.kind === 'lmdb' && !existsSync(join(where.directory, 'data.mdb'))) {
    const why = `there is no store in ${where.directory} yet; the first start makes it`;
    return [degradingCheck('store', false, why), ...config.targets.map(({ resource }) => untried(resource))];
  }
  let store: Store | undefined;
  const opened = await attempt('store', async () => {
    store = await openStore({ store: where, config, clock: clocks.system, role: 'tool' });
  });
  if (!store) return [opened];
  try {
    return [
      ...(await fitnessOf(store, clocks)),
      ...(await rightsOf(loaded, clocks)),
      ...(await keyChecks(store, loaded, clocks)),
    ];
  } finally {
    await store.close();
  }
}

/** Returns the checks of readiness, by the code of readiness. */
const fitnessOf = (store: Store, { clock }: Clocks): Promise<Check[]> =>
  createFitness({ store, clock, node: 'doctor', agreedTime: 'read' }).check();

async function rightsOf({ store, config }: LoadedConfig, { system: clock }: Clocks): Promise<Check[]> {
  if (store.kind === 'lmdb') return [];
  const { failures, advice } = await rehearse(redisOptions({ store, config, clock }));
  return [
    check('rights', failures.length === 0, failures.join('; ')),
    degradingCheck('failover', advice.length === 0, advice.join('; ')),
  ];
}

/** Tries the signing keys, and with them the targets that revocations are pushed to. */
async function keyChecks(store: Store, loaded: LoadedConfig, clocks: Clocks): Promise<Check[]> {
  const { clock } = clocks;
  const { keyEncryptionKey: source } = loaded;
  let keys: Keys | undefined;
  const opened = await attempt('keys', async () => {
    if (!(await hasRing(store.records))) return 'none yet; the first start makes them';
    if (source.value === undefined && source.file === undefined && !existsSync(source.defaultFile))
      throw new Error(`The store has signing keys, and the key that opens them is not in ${source.defaultFile}.`);
    const keyEncryptionKey = await loadKeyEncryptionKey(source);
    keys = await openKeys({ records: store.records, clock, keyEncryptionKey });
    return undefined;
  });
  return [opened, ...(await targetChecks(keys, loaded, clocks))];
}

async function targetChecks(
  keys: Keys | undefined,
  { config, proxy }: LoadedConfig,
  { clock }: Clocks,
): Promise<Check[]> {
  const { targets, issuer } = config;
  if (!keys) return targets.map(({ resource }) => untried(resource));
  // Minters say in their warnings what an operator should do.
  const warnings: Parameters<MinterDeps['warn']>[0][] = [];
  const warn: MinterDeps['warn'] = (warning) => void warnings.push(warning);
  const proxyFor = createProxyFor(proxy);
  const minters = await openMinters({ targets, keys, issuer, clock, proxyFor, warn });
  return Promise.all(
    targets.map(async ({ resource, minter }) => {
      const enforcer = minters.get(minter)?.enforcer;
      const nothing = { credentials: [], tasks: [], workloads: [] };
      const tried = await attempt(`target ${resource}`, async () => enforcer?.isInForce(resource, nothing, 0));
      const why = warnings.find(({ target }) => target === resource)?.advice;
      return tried.ok || why === undefined ? tried : check(tried.name, false, why);
    }),
  );
}

const untried = (resource: string): Check =>
  degradingCheck(`target ${resource}`, false, 'it can be tried once a broker has made its signing keys');
