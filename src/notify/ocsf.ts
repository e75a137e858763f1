/**
 * The body of an event, in the form that SIEMs read (OCSF 1.3): a Detection Finding for a signal, an API Activity for
 * anything else. It holds ids, names and fixed words only. The free text of an entry stays in the audit log.
 */
import { describeEntry } from '../audit/describe-entry.js';
import type { AuditEntry, AuditEvent } from '../audit/event.js';
import { defined } from '../domain/defined.js';
import type { Selector, SelectorKind } from '../domain/selector.js';
import type { Level, Signal } from '../domain/signal.js';

const VERSION = '1.3.0';

export const schemaOf = ({ signal }: Pick<AuditEntry, 'signal'>): string =>
  `https://schema.ocsf.io/${VERSION}/classes/${signal ? 'detection_finding' : 'api_activity'}`;

/** @param issuer The public origin of the broker: a question links to where a person answers it, after they have signed in. */
export function ocsfEvent(entry: AuditEntry, id: string, issuer: string) {
  const { category_uid, class_uid, activity_id, ...body } = entry.signal
    ? detectionFinding(entry, entry.signal)
    : apiActivity(entry);
  return {
    category_uid,
    class_uid,
    activity_id,
    type_uid: class_uid * 100 + activity_id,
    time: entry.at,
    message: describeEntry(entry),
    metadata: {
      version: VERSION,
      product: { name: 'Mayfly', vendor_name: 'Mayfly' },
      uid: id,
      sequence: entry.seq,
      log_name: 'audit',
      event_code: entry.type,
      ...correlation(entry),
    },
    ...body,
    ...(entry.approval && { unmapped: { ...body.unmapped, link: `${issuer}/approvals/${entry.approval.id}` } }),
  };
}

/** Returns the id by which a receiver finds related events: of the signal, the approval, else the task, the revocation, or the request. */
function correlation({ signal, approval, task, revocation, requestId }: AuditEntry): { correlation_uid?: string } {
  const ended = revocation?.selector.kind === 'task' ? revocation.selector.value : undefined;
  const uid = signal?.id ?? approval?.id ?? task ?? ended ?? revocation?.id ?? requestId;
  return uid === undefined ? {} : { correlation_uid: uid };
}

const [CREATE, READ, UPDATE, DELETE, OTHER] = [1, 2, 3, 4, 99];
const [INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL] = [1, 2, 3, 4, 5];
const [SUCCESS, FAILURE] = [1, 2];

/** Activities of a Detection Finding. */
const FINDING = { create: 1, close: 3 };

const SEVERITY: Record<Level, number> = { LOW, MEDIUM, HIGH };

/** OCSF knows 1 new, 2 in progress, 3 suppressed, 4 resolved. */
const STATUS: Record<Signal['state'], number> = {
  accepted: 1,
  recorded: 1,
  observed: 1,
  pending: 1,
  waiting: 2,
  dismissed: 3,
  reacted: 4,
};

/** Returns an event of OCSF class 2004: a signal, and what became of it. */
const detectionFinding = ({ type, actor, at }: AuditEntry, signal: NonNullable<AuditEntry['signal']>) => ({
  category_uid: 2,
  class_uid: 2004,
  // After a person's decision nothing is left to do.
  activity_id: type === 'signal.decided' ? FINDING.close : FINDING.create,
  severity_id: SEVERITY[signal.level],
  status_id: STATUS[signal.state],
  finding_info: defined({
    uid: signal.id,
    title: `${signal.event} from ${signal.source}`,
    types: [signal.event],
    modified_time: at,
    analytic: signal.reaction && { type_id: 1, type: 'Rule', name: signal.reaction.rule },
  }),
  resources: signal.about.map(resourceOf),
  unmapped: defined({
    state: signal.state,
    source: signal.source,
    reaction: signal.reaction,
    ...(type === 'signal.decided' && actor && { decided_by: actor.id }),
  }),
});

type Meaning = readonly [activity: number, severity: number, status: number];

const MEANINGS = {
  'credential.granted': [CREATE, INFORMATIONAL, SUCCESS],
  'credential.given_again': [READ, INFORMATIONAL, SUCCESS],
  'credential.refused': [CREATE, LOW, FAILURE],
  'task.opened': [CREATE, INFORMATIONAL, SUCCESS],
  'revocation.published': [DELETE, LOW, SUCCESS],
  'revocation.lifted_all': [DELETE, MEDIUM, SUCCESS],
  'signal.decided_all': [UPDATE, MEDIUM, SUCCESS],
  'signal.muted': [UPDATE, HIGH, SUCCESS],
  'signal.unmuted': [UPDATE, LOW, SUCCESS],
  'revocation.previewed': [READ, INFORMATIONAL, SUCCESS],
  'operation.refused': [OTHER, LOW, FAILURE],
  'introspection.inactive': [READ, LOW, FAILURE],
  'approval.answered': [UPDATE, LOW, SUCCESS],
  'approval.emergency': [UPDATE, CRITICAL, SUCCESS],
  'approval.reviewed': [UPDATE, LOW, SUCCESS],
  'keys.rotated': [UPDATE, LOW, SUCCESS],
  'policy.loaded': [UPDATE, LOW, SUCCESS],
  'policy.trial': [OTHER, INFORMATIONAL, SUCCESS],
  'audit.read': [READ, INFORMATIONAL, SUCCESS],
  'audit.counted': [OTHER, LOW, FAILURE],
  'audit.pruned': [DELETE, INFORMATIONAL, SUCCESS],
  'audit.gap': [OTHER, HIGH, FAILURE],
  'target.synced': [UPDATE, INFORMATIONAL, SUCCESS],
  'target.sync_failed': [UPDATE, HIGH, FAILURE],
  'log.replaced': [OTHER, CRITICAL, SUCCESS],
} satisfies Partial<Record<AuditEvent['type'], Meaning>>;

/** The wider the selector of a revocation, the more severe. The end of one task or credential is everyday. */
const WIDTH: Record<SelectorKind, number> = {
  credential: LOW,
  task: LOW,
  workload: MEDIUM,
  subject: LOW,
  run: LOW,
  principal: MEDIUM,
  session: LOW,
  issuer: HIGH,
  owner: HIGH,
  target: HIGH,
  drill: INFORMATIONAL,
  all: CRITICAL,
};

const KNOWN = new Map<string, Meaning>(Object.entries(MEANINGS));

/** Returns an event of OCSF class 6003: an action of somebody, or the refusal of one. */
function apiActivity(entry: AuditEntry) {
  const [activity, severity, status] = meaningOf(entry);
  return defined({
    category_uid: 6,
    class_uid: 6003,
    activity_id: activity,
    ...(activity === OTHER && { activity_name: entry.type }),
    severity_id: severity,
    status_id: status,
    status_code: entry.error,
    actor: actorOf(entry),
    api: { operation: entry.verb ?? entry.type, service: { name: 'mayfly' } },
    src_endpoint: defined({ svc_name: 'mayfly', name: entry.node }),
    resources: resourcesOf(entry),
    unmapped: idsOf(entry),
  });
}

function meaningOf({ type, revocation, outcome }: AuditEntry): Meaning {
  if (!revocation) return KNOWN.get(type) ?? [OTHER, INFORMATIONAL, SUCCESS];
  if (revocation.effect === 'lift') return [UPDATE, LOW, SUCCESS];
  // Tasks end as completed, failed, cancelled or expired when all is well.
  const isEveryday = outcome !== undefined && outcome !== 'revoked';
  return [DELETE, isEveryday ? INFORMATIONAL : WIDTH[revocation.selector.kind], SUCCESS];
}

const actorOf = ({ actor }: AuditEntry) =>
  actor ? { user: defined({ uid: actor.id, domain: actor.issuer }) } : { app_name: 'mayfly' };

function resourcesOf({ revocation, credential, task, workload, principal, target }: AuditEntry) {
  if (revocation) return [resourceOf(revocation.selector)];
  const named = { credential, task, workload, principal, target };
  return Object.entries(named).flatMap(([type, uid]) => (uid === undefined ? [] : [{ type, uid }]));
}

/** The other fields of an entry that are ids, numbers or digests. */
const ID_FIELDS = [
  ...[
    'task',
    'workload',
    'credential',
    'target',
    'outcome',
    'proofHash',
    'scopeHash',
    'installed',
    'requestId',
    'retry',
  ],
  ...['approval', 'revocation', 'access', 'accessOmitted', 'counted', 'muted', 'missing', 'checkpoint', 'expiresAt'],
] as const;

const idsOf = (entry: AuditEntry) => ({
  ...Object.fromEntries(ID_FIELDS.map((field) => [field, entry[field]])),
  decision: decisionOf(entry),
});

/** Without what policy was told: groups and claims of people stay in the audit log. */
function decisionOf({ decision }: AuditEntry) {
  if (!decision) return undefined;
  const { id, outcome, policies, digest } = decision;
  return { id, outcome, policies, digest };
}

/** Returns the selector as a resource of OCSF. `all` has no value of its own, and OCSF wants one. */
const resourceOf = ({ kind, value }: Selector) => ({ type: kind, uid: kind === 'all' ? 'all' : value });
