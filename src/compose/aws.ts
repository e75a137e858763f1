/** AWS, where targets are there: its minter, and what tells its roles of deaths. Its SDK is loaded for nobody else. */
import type { AuditLog } from '../audit/log.js';
import type { Target, AwsTarget } from '../config/schema.js';
import type { Clock } from '../domain/time.js';
import type { Keys } from '../keys/keys.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Denials, Minter } from '../minters/minter.js';
import { createReconciler, type Reconciler } from '../enforcement/reconcile.js';
import type { TellEvents } from '../enforcement/push-denials.js';
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
  /** Roles that do not take what they should be told. */
  deaf: ReadonlySet<string>;
}

export async function openAws({ targets, ...deps }: AwsDeps): Promise<Aws | undefined> {
  const roles = targets.filter((target): target is AwsTarget => target.minter === 'aws-sts');
  if (roles.length === 0) return undefined;
  const { createAwsMinter } = await import('../minters/aws/minter.js');
  const { keys, issuer, clock, log, metrics } = deps;
  const minter = createAwsMinter({
    ...{ targets: roles, keys, issuer, clock },
    warn({ target, what, advice, answer }) {
      metrics.awsTrouble(what);
      log.warn({ target, what, answer }, advice);
    },
  });
  const deaf = new Set<string>();
  const { enforcer } = minter;
  const reconciler = createReconciler({
    ...{ ledger: deps.ledger, node: deps.node, enforcer },
    targets: roles.map(({ resource }) => resource),
    events: tellEvents(deps, deaf),
  });
  return { minter, reconciler, deaf };
}

function tellEvents({ audit, clock, metrics, log }: Omit<AwsDeps, 'targets'>, deaf: Set<string>): TellEvents {
  const well = (target: string) => {
    deaf.delete(target);
    metrics.targetDeaf(target, 0);
  };
  const note = (event: Parameters<AuditLog['append']>[0]) => {
    audit.append(event).catch((err: unknown) => log.error({ err }, 'the audit log does not take entries'));
  };
  return {
    told(target, denials, fill) {
      well(target);
      metrics.targetTold(target, 'written', { lines: linesOf(denials), fill });
      note({ type: 'target.told', at: clock.now(), target, reason: inWords(denials) });
    },
    deaf(target, err, since) {
      // Each attempt is counted; the log and the audit trail hear of it when it begins.
      metrics.targetTold(target, 'failed');
      metrics.targetDeaf(target, (clock.now() - since) / 1000);
      if (deaf.has(target)) return;
      deaf.add(target);
      log.error({ err, target }, 'the role does not take its deny policy; it is tried again until the deadlines');
      note({ type: 'target.deaf', at: clock.now(), target, reason: 'The role does not take its deny policy.' });
    },
    drifted(target) {
      metrics.targetTold(target, 'drifted');
      log.warn({ target }, 'the deny policy of the role was changed by somebody else; it is written again');
    },
    unreadable([err, ...more]) {
      log.error({ err, count: more.length + 1 }, 'records of credentials cannot be read; they are denied');
    },
    heard: well,
    left: well,
  };
}

const linesOf = ({ credentials, tasks, generations }: Denials): number =>
  credentials.length + tasks.length + generations.length;

const inWords = ({ credentials, tasks, generations, issuedBefore }: Denials): string =>
  `Denied: ${credentials.length} credentials, ${tasks.length} tasks, ${generations.length} workloads up to a cutoff` +
  (issuedBefore === undefined ? '.' : `, everything issued before ${new Date(issuedBefore).toISOString()}.`);
