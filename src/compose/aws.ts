/** AWS: the minter of sessions, and the reconciler of its roles. The SDK is loaded only if the configuration has such targets. */
import type { AuditLog } from '../audit/log.js';
import type { Target, AwsTarget } from '../config/schema.js';
import type { Clock } from '../domain/time.js';
import type { Keys } from '../keys/keys.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Denials, Minter } from '../minters/minter.js';
import { createReconciler, type Reconciler } from '../enforcement/reconcile.js';
import type { PushEvents } from '../enforcement/push-denials.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';

interface AwsDeps {
  targets: readonly Target[];
  keys: Pick<Keys, 'sign'>;
  issuer: string;
  clock: Clock;
  ledger: Ledger;
  node: string;
  audit: AuditLog;
  metrics: Metrics;
  log: Logger;
}

/** Sessions that can be ended. */
export interface Aws {
  minter: Minter;
  reconciler: Reconciler;
  /** Roles to which pushing fails. */
  failing: ReadonlySet<string>;
}

export async function openAws({ targets, ...deps }: AwsDeps): Promise<Aws | undefined> {
  const roles = targets.filter((target): target is AwsTarget => target.minter === 'aws-sts');
  if (roles.length === 0) return undefined;
  const { createAwsMinter } = await import('../minters/aws/minter.js');
  const { keys, issuer, clock, log, metrics } = deps;
  const minter = createAwsMinter({
    ...{ targets: roles, keys, issuer, clock },
    warn({ target, what, advice, answer }) {
      metrics.awsWarned(what);
      log.warn({ target, what, answer }, advice);
    },
  });
  const failing = new Set<string>();
  const { enforcer } = minter;
  const reconciler = createReconciler({
    ...{ ledger: deps.ledger, node: deps.node, enforcer },
    targets: roles.map(({ resource }) => resource),
    events: pushEvents(deps, failing),
  });
  return { minter, reconciler, failing };
}

function pushEvents({ audit, clock, metrics, log }: Omit<AwsDeps, 'targets'>, failing: Set<string>): PushEvents {
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
      note({ type: 'target.synced', at: clock.now(), target, reason: describeDenials(denials) });
    },
    failing(target, err, since) {
      // Each attempt is counted; the log and the audit trail get one entry, when the attempts begin to fail.
      metrics.targetPushed(target, 'failed');
      metrics.targetSyncFailing(target, (clock.now() - since) / 1000);
      if (failing.has(target)) return;
      failing.add(target);
      log.error(
        { err, target },
        'the deny policy of the role cannot be written; it is tried again until the sessions expire',
      );
      note({
        type: 'target.sync_failed',
        at: clock.now(),
        target,
        reason: 'The deny policy of the role cannot be written.',
      });
    },
    drifted(target) {
      metrics.targetPushed(target, 'drifted');
      log.warn({ target }, 'the deny policy of the role was changed by somebody else; it is written again');
    },
    unreadable([err, ...more]) {
      log.error(
        { err, count: more.length + 1 },
        'the records of some credentials cannot be read; these credentials are denied',
      );
    },
    recovered: well,
    leaseLost: well,
  };
}

const countOf = ({ credentials, tasks, workloads }: Denials): number =>
  credentials.length + tasks.length + workloads.length;

const describeDenials = ({ credentials, tasks, workloads, issuedBefore }: Denials): string =>
  `Denied: ${credentials.length} credentials, ${tasks.length} tasks, ${workloads.length} workloads up to a cutoff` +
  (issuedBefore === undefined ? '.' : `, everything issued before ${new Date(issuedBefore).toISOString()}.`);
