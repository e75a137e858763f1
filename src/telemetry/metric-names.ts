/** Every metric of the broker, beside those of its process: name, help text, and its labels with their values. */
import { APPROVAL_ANSWERS } from '../domain/approval.js';
import { BROKER_ERROR_CODES } from '../domain/errors.js';
import { POLICY_SILENCES } from '../domain/policy-outcome.js';
import { EFFECTS, SELECTOR_KINDS } from '../domain/selector.js';
import { SIGNAL_STATES, STORED_EVENTS } from '../domain/signal.js';
import { FEED_ENDS } from '../protocol/feed.js';

/** The label's values are in the configuration, the route table or a minter: `Metrics.expect` names them at the start. */
const NAMED_AT_START = 'named at the start';
/** Nobody can list the label's values. An event under a new one is the first sample of its series, and no increase of it. */
const UNLISTED = 'unlisted';

/**
 * The values of a label. The series of a counter begin at 0, for all values of its labels: `increase()` of Prometheus does not
 * see the event that makes a series.
 */
export type LabelValues = readonly string[] | typeof NAMED_AT_START | typeof UNLISTED;

export const METRICS = {
  exchanges: {
    name: 'mayfly_exchanges_total',
    help: 'Token exchanges, by result: granted, refused, failed.',
    labels: { result: ['granted', 'refused', 'failed'] },
  },
  refusals: {
    name: 'mayfly_refusals_total',
    help: 'Refused requests, by error code and endpoint.',
    labels: { code: BROKER_ERROR_CODES, endpoint: NAMED_AT_START },
  },
  identityRefused: {
    name: 'mayfly_identity_refused_total',
    help: 'Proofs of identity not accepted, by reason.',
    labels: { reason: UNLISTED },
  },
  credentialsLive: {
    name: 'mayfly_credentials_live',
    help: 'Credentials this broker has minted since its start that have not expired; revoked ones count until then.',
    labels: {},
  },
  tasksOpen: { name: 'mayfly_tasks_open', help: 'Tasks in the store that have not ended.', labels: {} },
  sweepLag: {
    name: 'mayfly_sweep_lag_seconds',
    help: 'For how long the oldest due work has waited for the sweep.',
    labels: {},
  },
  revocations: {
    name: 'mayfly_revocations_total',
    help: 'Revocations published by this broker, by selector and effect.',
    labels: { selector: SELECTOR_KINDS, effect: [...EFFECTS, 'lift'] },
  },
  generationChanges: {
    name: 'mayfly_generation_changes_total',
    help: 'Times this broker declared everything older dead because the log was lost or replaced.',
    labels: {},
  },
  minterWarning: {
    name: 'mayfly_minter_warnings_total',
    help: 'Warnings of minters for operators, by subject; the log has the advice.',
    labels: { what: NAMED_AT_START },
  },
  targetWrites: {
    name: 'mayfly_target_writes_total',
    help: 'Writes of what a target must deny, by result: written, failed, or drifted (changed by somebody else).',
    labels: { target: NAMED_AT_START, result: ['written', 'failed', 'drifted'] },
  },
  targetDenials: {
    name: 'mayfly_target_denials',
    help: 'Sessions, tasks and workloads that a target denies, as this broker wrote it last.',
    labels: { target: NAMED_AT_START },
  },
  targetFill: {
    name: 'mayfly_target_fill_ratio',
    help: "The share of the target's room that its denials take; above 0.9 they are made fewer and broader.",
    labels: { target: NAMED_AT_START },
  },
  targetSyncFailing: {
    name: 'mayfly_target_sync_failing_seconds',
    help: 'For how long writing to a target what it must deny has failed; 0 while it succeeds.',
    labels: { target: NAMED_AT_START },
  },
  signals: {
    name: 'mayfly_signals_total',
    help: 'Signals accepted, by transmitter (or json, or detector), event, and whether they were new.',
    labels: { source: NAMED_AT_START, event: STORED_EVENTS, put: ['new', 'again'] },
  },
  signalsEvaluated: {
    name: 'mayfly_signals_evaluated_total',
    help: 'Signals that were evaluated, by reaction and resulting state.',
    labels: { reaction: NAMED_AT_START, state: SIGNAL_STATES },
  },
  signalSeconds: {
    name: 'mayfly_signal_reaction_seconds',
    help: 'Time from accepting a signal to the end of its reaction.',
    labels: {},
  },
  feedFollowers: {
    name: 'mayfly_feed_followers',
    help: 'Verifiers that follow the revocation feed of this broker.',
    labels: {},
  },
  feedWaiting: {
    name: 'mayfly_feed_waiting',
    help: 'Callers that wait at this broker for the end of a credential, as proxies of agents do.',
    labels: {},
  },
  feedEnds: {
    name: 'mayfly_feed_ends_total',
    help: 'Streams of the feed that ended: by the broker (renew, slow, closing, refused, stuck), or left by the verifier.',
    labels: { reason: [...FEED_ENDS, 'left', 'stuck'] },
  },
  timeToDeny: {
    name: 'mayfly_time_to_deny_seconds',
    help: 'Time from the publication of a revocation until a verifier denied, as it acknowledged, by verifier.',
    labels: { verifier: UNLISTED },
  },
  approvalAnswers: {
    name: 'mayfly_approval_answers_total',
    help: 'Answers of people to requests that wait, as this broker took them.',
    labels: { says: APPROVAL_ANSWERS },
  },
  approvalQuestions: {
    name: 'mayfly_approval_questions_total',
    help: 'Questions to people that were asked or taken back here, or that lapsed: by themselves, or with their task.',
    labels: { event: ['requested', 'cancelled', 'lapsed'] },
  },
  approvalsWaiting: {
    name: 'mayfly_approvals_waiting',
    help: 'Questions that wait for people. One whose task is over counts until it would have lapsed.',
    labels: {},
  },
  approvalAge: {
    name: 'mayfly_approval_age_seconds',
    help: 'For how long the oldest question has waited, about; 0 if there is none.',
    labels: {},
  },
  reviewsOpen: {
    name: 'mayfly_approval_reviews_open',
    help: 'Emergencies that nobody has reviewed yet.',
    labels: {},
  },
  reviewAge: {
    name: 'mayfly_approval_review_age_seconds',
    help: 'For how long the oldest emergency has waited for its review; 0 if there is none.',
    labels: {},
  },
  detectorDropped: {
    name: 'mayfly_detector_dropped_total',
    help: 'Subjects that detectors dropped before they were written to the store, because there were too many at once.',
    labels: {},
  },
  webhookDeliveries: {
    name: 'mayfly_webhook_deliveries_total',
    help: 'Attempts to deliver an event to a webhook, by result: delivered, failed, or dead (given up).',
    labels: { webhook: NAMED_AT_START, result: ['delivered', 'failed', 'dead'] },
  },
  webhookLag: {
    name: 'mayfly_webhook_lag_seconds',
    help: 'For how long the oldest event has waited that is not delivered to a webhook; 0 if there is none.',
    labels: { webhook: NAMED_AT_START },
  },
  store: {
    name: 'mayfly_store_seconds',
    help: 'Time of store operations, failed ones included.',
    labels: { operation: UNLISTED },
  },
  policy: { name: 'mayfly_policy_seconds', help: 'Time of policy decisions.', labels: {} },
  policyInForce: {
    name: 'mayfly_policy_info',
    help: 'Always 1: its label is the digest of the policies in force on this broker.',
    labels: { digest: UNLISTED },
  },
  policySets: {
    name: 'mayfly_policy_sets',
    help: 'How many different sets of policies the brokers on this store decide by.',
    labels: {},
  },
  policyEvaluations: {
    name: 'mayfly_policy_evaluations_total',
    help: 'Evaluations by the policy engine; verdicts that are remembered take none.',
    labels: {},
  },
  policyUnanswered: {
    name: 'mayfly_policy_unanswered_total',
    help: 'Questions that a policy engine outside the broker has not answered, by reason; each was refused as an outage.',
    labels: { reason: POLICY_SILENCES },
  },
  policyTrial: {
    name: 'mayfly_policy_trial_total',
    help: 'Questions to the policies on trial, by whether they would have answered otherwise.',
    labels: { result: ['same', 'other', 'dropped', 'failed'] },
  },
  auditAppend: {
    name: 'mayfly_audit_append_seconds',
    help: 'Time until a batch of audit entries is durable.',
    labels: {},
  },
  auditWaiting: { name: 'mayfly_audit_waiting', help: 'Audit entries not yet durable.', labels: {} },
  http: {
    name: 'mayfly_http_seconds',
    help: 'Time of requests, by endpoint and status.',
    labels: { endpoint: UNLISTED, status: UNLISTED },
  },
  readiness: {
    name: 'mayfly_readiness',
    help: 'Whether each condition of readiness holds: 1 or 0.',
    labels: { check: UNLISTED },
  },
  build: {
    name: 'mayfly_build_info',
    help: 'Always 1; its labels say which version of the broker runs, on which version of Node.',
    labels: { version: UNLISTED, node: UNLISTED },
  },
} as const satisfies Record<string, { name: string; help: string; labels: Readonly<Record<string, LabelValues>> }>;
