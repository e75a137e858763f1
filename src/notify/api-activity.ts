/** OCSF 6003: what somebody did here, or was refused. */
import { defined } from '../domain/defined.js';
import type { AuditEntry, AuditEvent } from '../audit/event.js';
import type { SelectorKind } from '../domain/selector.js';
import { resourceOf } from './resource.js';

const [CREATE, READ, UPDATE, DELETE, OTHER] = [1, 2, 3, 4, 99];
const [INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL] = [1, 2, 3, 4, 5];
const [SUCCESS, FAILURE] = [1, 2];

type Meaning = readonly [activity: number, severity: number, status: number];

const MEANINGS = {
  'credential.granted': [CREATE, INFORMATIONAL, SUCCESS],
  'credential.refused': [CREATE, LOW, FAILURE],
  'task.opened': [CREATE, INFORMATIONAL, SUCCESS],
  'revocation.published': [DELETE, LOW, SUCCESS],
  'revocation.previewed': [READ, INFORMATIONAL, SUCCESS],
  'operation.refused': [OTHER, LOW, FAILURE],
  'introspection.inactive': [READ, LOW, FAILURE],
  'keys.rotated': [UPDATE, LOW, SUCCESS],
  'policy.loaded': [UPDATE, LOW, SUCCESS],
  'audit.read': [READ, INFORMATIONAL, SUCCESS],
  'audit.pruned': [DELETE, INFORMATIONAL, SUCCESS],
  'audit.gap': [OTHER, HIGH, FAILURE],
  'target.synced': [UPDATE, INFORMATIONAL, SUCCESS],
  'target.sync_failed': [UPDATE, HIGH, FAILURE],
  'log.replaced': [OTHER, CRITICAL, SUCCESS],
} satisfies Partial<Record<AuditEvent['type'], Meaning>>;

/** The wider, the worse; the end of a single task or credential is everyday. */
const WIDTH: Record<SelectorKind, number> = {
  credential: LOW,
  task: LOW,
  workload: MEDIUM,
  principal: MEDIUM,
  issuer: HIGH,
  owner: HIGH,
  target: HIGH,
  all: CRITICAL,
};

const KNOWN = new Map<string, Meaning>(Object.entries(MEANINGS));

export function apiActivity(entry: AuditEntry) {
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
  // Completed, failed, cancelled, expired: how tasks end when all is well.
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

/** The rest of an entry that is an id, a number or a digest. */
function idsOf({ revocation, access, decision, missing, checkpoint, expiresAt, ...entry }: AuditEntry) {
  const { task, workload, credential, target, outcome, proofHash, scopeHash, installed, requestId, retry } = entry;
  return {
    ...{ task, workload, credential, target, outcome, proofHash, scopeHash, installed, requestId, retry },
    ...{ revocation, access, decision, missing, checkpoint, expiresAt },
  };
}
