/**
 * Every file that may read a clock without asking whether it is right (`unchecked…` and `reading` of src/domain/time.ts), under
 * the reason why a wrong clock grants nothing there. Lint refuses a call anywhere else: a new use takes `now`, which throws
 * while the clock is wrong, or is entered here.
 */
// prettier-ignore
const REASONS = {
  'the clocks themselves: where they are compared': [
    'health/clock-monitor.ts', 'health/fitness.ts', 'health/readiness.ts', 'health/watched-clock.ts',
  ],
  'ends or holds: a wrong clock ends too early, or holds for longer': [
    'approvals/cancel.ts', 'identity/identify.ts', 'identity/transmitters.ts', 'ledger/revoke.ts', 'ledger/risk.ts', 'ledger/reaction-budget.ts',
    'ledger/reaction-memory.ts', 'revocation/revoke-by-selector.ts', 'signals/accept.ts', 'signals/confirm.ts',
    'signals/evaluate.ts', 'signals/react.ts', 'signals/safeguards.ts', 'signals/signal-queue.ts', 'http/signals.ts',
    'cli/revocations.ts', 'cli/rotate-keys.ts',
  ],
  'the state of a task, for verbs that end it; all others have read the checked time before': ['ledger/task-state.ts'],
  'raises alarms': [
    'detectors/canaries.ts', 'detectors/detectors.ts', 'detectors/flush.ts', 'detectors/observe.ts', 'detectors/pool.ts',
    'detectors/raise.ts', 'ledger/canaries.ts',
  ],
  'pushes denials to a target: what removes one also waits until it has surely expired': [
    'enforcement/lease.ts', 'enforcement/push-denials.ts', 'enforcement/reconcile.ts', 'minters/aws/aws-clock.ts',
    'minters/aws/revoker-session.ts', 'minters/aws/web-identity.ts',
  ],
  'writes down when something happened, or tells how long ago': [
    'approvals/cancel-leaked.ts',
    'audit/head.ts', 'audit/log.ts', 'audit/ration.ts', 'authorization/audit.ts', 'compose/enforcement.ts', 'compose/policy-loads.ts', 'compose/policy-trial.ts',
    'compose/parts.ts', 'compose/signals.ts', 'compose/work.ts', 'http/audit.ts', 'http/notifications.ts', 'ledger/policies-in-force.ts',
    'revocation/effects.ts', 'telemetry/count-live.ts', 'cli/drill/command.ts',
  ],
  'decides when to try or to read again': [
    'identity/trust-keys.ts', 'keys/keys.ts', 'keys/ring-record.ts', 'notify/deliver-entry.ts', 'notify/deliver.ts',
    'notify/lease.ts',
  ],
  'leaves out texts that have expired: what they could still grant is judged by the checked time': [
    'store/lmdb.ts', 'store/lmdb/log.ts', 'store/lmdb/records.ts', 'store/redis/records.ts',
  ],
  'is compared with the clock of a server, and vouches for nothing where they differ': [
    'store/redis/index.ts', 'store/redis/log.ts',
  ],
  'tries the store in keys that no broker reads': ['store/redis/rehearse.ts'],
  'shows the time of a host, and ends everything before a wrong time is taken back': ['compose/agreed-time.ts'],
  'on a developer\'s machine, where there is no store to compare with': ['cli/dev-issuer.ts', 'cli/policy/diff.ts', 'cli/policy/suggest.ts', 'cli/timeline.ts'],
};

export const UNCHECKED_TIME = Object.values(REASONS)
  .flat()
  .map((file) => `src/${file}`);
