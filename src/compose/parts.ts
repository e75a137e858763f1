/** Makes the parts of a broker, each once, from the store upwards. Only compose/ picks implementations. */
import { randomBytes } from 'node:crypto';
import { createPace } from '../approvals/pace.js';
import { createAnswerWaiting } from '../approvals/wait.js';
import { openAuditLog, type AuditLog } from '../audit/log.js';
import { rationed } from '../audit/ration.js';
import type { Settings } from '../authorization/deps.js';
import type { LoadedConfig } from '../config/load.js';
import { openDetectors } from '../detectors/detectors.js';
import { sessionCache } from '../credentials/session-cache.js';
import { defined } from '../domain/defined.js';
import { DAY_MS, type Clock, type SystemClock } from '../domain/time.js';
import { createFitness } from '../health/fitness.js';
import { watchClock } from '../health/watched-clock.js';
import { createIdentify } from '../identity/identify.js';
import { openIssuers } from '../identity/issuer-keys.js';
import type { Surroundings as KeySurroundings } from '../identity/key-source.js';
import { loadKeyEncryptionKey } from '../keys/key-encryption-key.js';
import { openKeys } from '../keys/keys.js';
import { isPassing } from '../enforcement/assert-enforceable.js';
import { untilEnforceable } from '../enforcement/until-enforceable.js';
import type { Ledger } from '../ledger/ledger.js';
import { createInTurn } from '../ledger/in-turn.js';
import { openRevocationLog, type LogEvents } from '../ledger/revocation-log.js';
import { createPartyMemory } from '../ledger/seen.js';
import type { SeenDirectory } from '../ledger/seen-directory.js';
import { openFeed } from '../feed/feed.js';
import { createNotifier } from '../notify/notifier.js';
import { createProxyFor } from '../outbound/proxy.js';
import type { Store } from '../store/store.js';
import { targetsByName } from '../targets/names.js';
import { createQuotas } from '../tasks/quotas.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { createRequestLog } from '../telemetry/request-log.js';
import { forHttp } from './for-http.js';
import { openEnforcement } from './enforcement.js';
import {
  instrumentAudit,
  instrumentIdentify,
  instrumentPolicy,
  minterWarnings,
  rememberCallers,
} from './instrument.js';
import { openMinters } from './minters.js';
import { openSeen } from './open-store.js';
import { openPolicy } from './policy.js';
import { assertFeedWithin, assertPartyWithin } from './rate.js';
import { openSignals } from './signals.js';

export interface Surroundings {
  system: SystemClock;
  log: Logger;
  metrics: Metrics;
}

export async function makeParts(loaded: LoadedConfig, store: Store, { system, log, metrics }: Surroundings) {
  const { config } = loaded;
  const { records } = store;
  const { issuer, lifetimes, limits, targets } = config;
  const node = randomBytes(4).toString('hex');

  const clock = watchClock(system, lifetimes.clockSkew * 1000);
  const seen = await openSeen(config.redis);
  const fitness = createFitness({ store: withSeen(store, seen), clock, node, agreedTime: 'raise' });
  await fitness.check(); // From here on the clock tells the time, if it agrees with the store's.
  const keyEncryptionKey = await loadKeyEncryptionKey(loaded.keyEncryptionKey);
  const keys = await openKeys({ records, clock, keyEncryptionKey, ...config.keys });
  const kept = { records, log: store.log, clock, keys, issuer, node };
  const audit = openAudit(kept, { fitness, metrics, log });
  const events = logEvents(audit, { clock, log, metrics });
  const ledger: Ledger = { records, clock, log: openRevocationLog(store.log, events, seen), ...keepingOf(config) };
  const around = { issuer, clock, proxyFor: createProxyFor(loaded.proxy) };
  const policy = await openPolicy(config, { ...around, audit, metrics, log });
  const { identify, issuers } = openIdentity(loaded, around);
  const { queue, ...intake } = openSignals({ ...around, loaded, ledger, audit, metrics, log });
  const onSignal = (id: string) => queue.push(id);
  const detectors = openDetectors({ ledger, metrics, detectors: config.signals.detectors, onSignal });
  const parties = createPartyMemory(ledger);
  const minters = await openMinters({ ...around, targets, keys, ...minterWarnings(metrics, log) });
  const enforcement = openEnforcement({ targets, minters, ledger, clock, node, audit, metrics, log });
  const notifier = createNotifier({ ...around, ledger, audit, keys, node, metrics, log }, config.notify);
  const deps = {
    ledger,
    keys,
    audit,
    issuer,
    metrics,
    requests: createRequestLog(log, limits.perIssuerPerMinute),
    observer: detectors.observer,
    parties,
    ...forSdks(ledger, metrics),
    identify: rememberCallers(instrumentIdentify(identify, { metrics, observer: detectors.observer }), parties),
    policy: instrumentPolicy(policy, metrics),
    minters,
    targets: targetsByName(targets),
    settings: settingsOf(config),
    assertWithinRate: assertPartyWithin(limits),
    assertWithinQuota: createQuotas(ledger, limits),
    assertFitToMint: () => fitness.assertFitToMint(),
    ...intake,
    onSignal,
    ...forHttp(loaded, { ...around, keys }),
  };
  return { deps, node, clock, keys, fitness, issuers, enforcement, signals: queue, detectors, notifier };
}

const keepingOf = ({ audit }: LoadedConfig['config']) => ({ auditRetentionMs: audit.retentionDays * DAY_MS });

/** Returns the audit log as use cases see it. */
const openAudit = (
  kept: Parameters<typeof openAuditLog>[0],
  { fitness, ...around }: Pick<Surroundings, 'metrics' | 'log'> & { fitness: ReturnType<typeof createFitness> },
) =>
  rationed(instrumentAudit(openAuditLog(kept), around), {
    clock: kept.clock,
    hasRoom: () => fitness.hasRoomToSpare(),
  });

function openIdentity(
  {
    config: {
      trust,
      clientIds,
      lifetimes: { clockSkew: clockSkewSeconds },
    },
    directory: baseDirectory,
  }: LoadedConfig,
  { issuer, ...around }: { issuer: string; clock: Clock } & Pick<KeySurroundings, 'proxyFor'>,
) {
  const issuers = openIssuers(trust, { ...around, baseDirectory });
  const identify = createIdentify({ issuer, issuers, clock: around.clock, clockSkewSeconds, clientIds });
  return { identify, issuers };
}

/** Returns what is done for callers that ask often and give up soon, and for verifiers, which ask once and hear the rest. */
const forSdks = (ledger: Ledger, metrics: Metrics) => ({
  feed: openFeed(ledger, {
    onFollowers: metrics.feedFollowers,
    onWaiting: metrics.feedWaiting,
    onEnd: metrics.feedEnded,
    onKnown: metrics.knownBy,
  }),
  assertFeedWithin: assertFeedWithin(),
  pace: createPace(ledger.clock),
  answers: createAnswerWaiting(ledger),
  sessions: sessionCache(ledger),
  inTurn: createInTurn(),
  untilEnforceable: untilEnforceable(ledger.clock, (target) => isPassing(ledger, target)),
});

/** Adds to the store's problems that what was seen of the log cannot be kept: a broker that starts again would not miss it. */
const withSeen = (store: Store, seen: SeenDirectory | undefined): Store => ({
  ...store,
  async health() {
    const health = await store.health();
    const trouble = seen?.trouble();
    return trouble === undefined ? health : { ...health, problems: [...health.problems, trouble] };
  },
});

const settingsOf = ({
  approvals,
  issuer,
  lifetimes,
  limits,
  owners,
  purposes,
  signals,
  targets,
  trust,
}: LoadedConfig['config']): Settings =>
  defined({
    approvals: { ...approvals, clients: [...approvals.clients, ...(approvals.page ? [approvals.page.clientId] : [])] },
    issuer,
    lifetimes,
    limits,
    trust,
    targets: targets.map(({ resource }) => resource),
    signals,
    proofTarget: `${issuer}/aws/credentials`,
    purposes,
    owners,
  });

/** Returns the reactions to events of the revocation log. A revocation is acknowledged without waiting for them. */
function logEvents(
  audit: AuditLog,
  { clock, log, metrics }: Omit<Surroundings, 'system'> & { clock: Clock },
): LogEvents {
  const logFailure = (work: Promise<void>, what: string) => {
    work.catch((err: unknown) => log.error({ err }, what));
  };
  let first = true; // The first start on an empty store is not an incident.
  return {
    onPublished({ selector, effect }) {
      metrics.revoked(selector.kind, effect);
      logFailure(audit.catchUp(), 'the audit log is behind the revocation log');
    },
    onNewGeneration(lost) {
      metrics.generationChanged();
      if (first && lost === undefined) log.info('the revocation log begins: nothing older lives');
      else log.warn({ lost }, 'the revocation log has a new generation: everything older is dead');
      first = false;
      const reason = lost === undefined ? 'There was no generation.' : `The generation ${lost} was lost.`;
      logFailure(
        audit.append({ type: 'log.replaced', at: clock.unchecked(), reason }),
        'the audit log does not take entries',
      );
    },
  };
}
