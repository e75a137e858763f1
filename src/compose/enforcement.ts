/** The reconcilers of targets that revocations must be pushed to, and where each event of a push is reported. */
import type { AuditLog } from '../audit/log.js';
import type { Target } from '../config/schema.js';
import { toTimestamp, type Clock } from '../domain/time.js';
import type { PushEvents } from '../enforcement/push-denials.js';
import { createReconciler, type Reconciler } from '../enforcement/reconcile.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Denials, Minter } from '../minters/minter.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';

interface EnforcementDeps {
  targets: readonly Target[];
  minters: ReadonlyMap<string, Minter>;
  ledger: Ledger;
  clock: Clock;
  /** Names this broker among those that share the ledger. */
  node: string;
  audit: AuditLog;
  metrics: Metrics;
  log: Logger;
}

interface Enforcement {
  /** One for each kind whose minter has an enforcer. */
  reconcilers: readonly Reconciler[];
  /** Targets to which pushing fails. */
  failing: ReadonlySet<string>;
  /** Lets other brokers take over at once, at the end of the process. */
  releaseLeases: () => Promise<void>;
}

export function openEnforcement({ targets, minters, ...deps }: EnforcementDeps): Enforcement {
  const failing = new Set<string>();
  const events = pushEvents(deps, failing);
  const { ledger, node } = deps;
  const reconcilers = [...minters.values()].flatMap(({ kind, enforcer }) => {
    if (!enforcer) return [];
    const resources = targets.filter(({ minter }) => minter === kind).map(({ resource }) => resource);
    deps.metrics.expect('target', resources);
    return [createReconciler({ ledger, node, enforcer, targets: resources, events })];
  });
  const releaseLeases = async () => {
    for (const reconciler of reconcilers) await reconciler.releaseLeases();
  };
  return { reconcilers, failing, releaseLeases };
}

function pushEvents(
  { audit, clock, metrics, log }: Omit<EnforcementDeps, 'targets' | 'minters'>,
  failing: Set<string>,
): PushEvents {
  const well = (target: string) => {
    failing.delete(target);
    metrics.targetSyncFailing(target, 0);
  };
  const note = (event: Parameters<AuditLog['append']>[0]) => {
    audit.append(event).catch((err: unknown) => log.error({ err }, 'the audit log does not take entries'));
  };
  return {
    pushed(target, denials, fill) {
      well(target);
      metrics.targetPushed(target, 'written', { denials: countOf(denials), fill });
      note({ type: 'target.synced', at: clock.unchecked(), target, reason: describeDenials(denials) });
    },
    failing(target, err, since) {
      // Each attempt is counted; the log and the audit trail get one entry, when the attempts begin to fail.
      metrics.targetPushed(target, 'failed');
      metrics.targetSyncFailing(target, (clock.unchecked() - since) / 1000);
      if (failing.has(target)) return;
      failing.add(target);
      log.error(
        { err, target },
        'revocations cannot be pushed to the target; the broker tries again until the credentials expire',
      );
      note({
        type: 'target.sync_failed',
        at: clock.unchecked(),
        target,
        reason: 'Revocations cannot be pushed to the target.',
      });
    },
    drifted(target) {
      metrics.targetPushed(target, 'drifted');
      log.warn({ target }, 'somebody else changed what the target denies; the denials are pushed again');
    },
    unreadable([err, ...more]) {
      log.error(
        { err, count: more.length + 1 },
        'the records of some credentials cannot be read; these credentials are denied',
      );
    },
    recovered: well,
    leaseLost(target) {
      failing.delete(target);
      metrics.targetLeft(target);
    },
  };
}

const countOf = ({ credentials, tasks, workloads }: Denials): number =>
  credentials.length + tasks.length + workloads.length;

const describeDenials = ({ credentials, tasks, workloads, issuedBefore }: Denials): string =>
  `Denied: ${credentials.length} credentials, ${tasks.length} tasks, ${workloads.length} workloads up to a cutoff` +
  (issuedBefore === undefined ? '.' : `, everything issued before ${toTimestamp(issuedBefore)}.`);
