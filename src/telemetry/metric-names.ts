/** Every metric of the broker, beside those of its process: name, help text and labels. */

export const METRICS = {
  exchanges: {
    name: 'mayfly_exchanges_total',
    help: 'Token exchanges, by result: granted, refused, failed.',
    labels: ['result'],
  },
  refusals: {
    name: 'mayfly_refusals_total',
    help: 'Refused requests, by error code and endpoint.',
    labels: ['code', 'endpoint'],
  },
  identityRefused: {
    name: 'mayfly_identity_refused_total',
    help: 'Proofs of identity not accepted, by reason.',
    labels: ['reason'],
  },
  credentialsLive: {
    name: 'mayfly_credentials_live',
    help: 'Credentials this broker has minted since its start that have not expired; revoked ones count until then.',
    labels: [],
  },
  tasksOpen: { name: 'mayfly_tasks_open', help: 'Tasks in the store that have not ended.', labels: [] },
  sweepLag: {
    name: 'mayfly_sweep_lag_seconds',
    help: 'For how long the oldest due work has waited for the sweep.',
    labels: [],
  },
  revocations: {
    name: 'mayfly_revocations_total',
    help: 'Revocations published by this broker, by selector and effect.',
    labels: ['selector', 'effect'],
  },
  generationChanges: {
    name: 'mayfly_generation_changes_total',
    help: 'Times this broker declared everything older dead because the log was lost or replaced.',
    labels: [],
  },
  minterWarning: {
    name: 'mayfly_minter_warnings_total',
    help: 'Warnings of minters for operators, by subject; the log has the advice.',
    labels: ['what'],
  },
  targetWrites: {
    name: 'mayfly_target_writes_total',
    help: 'Writes of what a target must deny, by result: written, failed, or drifted (changed by somebody else).',
    labels: ['target', 'result'],
  },
  targetDenials: {
    name: 'mayfly_target_denials',
    help: 'Sessions, tasks and workloads that a target denies, as this broker wrote it last.',
    labels: ['target'],
  },
  targetFill: {
    name: 'mayfly_target_fill_ratio',
    help: "The share of the target's room that its denials take; above 0.9 they are made fewer and broader.",
    labels: ['target'],
  },
  targetSyncFailing: {
    name: 'mayfly_target_sync_failing_seconds',
    help: 'For how long writing to a target what it must deny has failed; 0 while it succeeds.',
    labels: ['target'],
  },
  signals: {
    name: 'mayfly_signals_total',
    help: 'Signals accepted, by transmitter (or json, or detector), event, and whether they were new.',
    labels: ['source', 'event', 'put'],
  },
  signalsEvaluated: {
    name: 'mayfly_signals_evaluated_total',
    help: 'Signals that were evaluated, by reaction and resulting state.',
    labels: ['reaction', 'state'],
  },
  signalSeconds: {
    name: 'mayfly_signal_reaction_seconds',
    help: 'Time from accepting a signal to the end of its reaction.',
    labels: [],
  },
  detectorDropped: {
    name: 'mayfly_detector_dropped_total',
    help: 'Subjects that detectors dropped before they were written to the store, because there were too many at once.',
    labels: [],
  },
  webhookDeliveries: {
    name: 'mayfly_webhook_deliveries_total',
    help: 'Attempts to deliver an event to a webhook, by result: delivered, failed, or dead (given up).',
    labels: ['webhook', 'result'],
  },
  webhookLag: {
    name: 'mayfly_webhook_lag_seconds',
    help: 'For how long the oldest event has waited that is not delivered to a webhook; 0 if there is none.',
    labels: ['webhook'],
  },
  store: {
    name: 'mayfly_store_seconds',
    help: 'Time of store operations, failed ones included.',
    labels: ['operation'],
  },
  policy: { name: 'mayfly_policy_seconds', help: 'Time of policy decisions.', labels: [] },
  policyEvaluations: {
    name: 'mayfly_policy_evaluations_total',
    help: 'Evaluations by the policy engine; verdicts that are remembered take none.',
    labels: [],
  },
  auditAppend: {
    name: 'mayfly_audit_append_seconds',
    help: 'Time until a batch of audit entries is durable.',
    labels: [],
  },
  auditWaiting: { name: 'mayfly_audit_waiting', help: 'Audit entries not yet durable.', labels: [] },
  http: {
    name: 'mayfly_http_seconds',
    help: 'Time of requests, by endpoint and status.',
    labels: ['endpoint', 'status'],
  },
  readiness: {
    name: 'mayfly_readiness',
    help: 'Whether each condition of readiness holds: 1 or 0.',
    labels: ['check'],
  },
} as const satisfies Record<string, { name: string; help: string; labels: readonly string[] }>;
