/**
 * The body that SIEMs read (OCSF 1.3): a Detection Finding for what was noticed, an API Activity for what was done. Ids,
 * names and our own words only: the free text of an entry stays in the audit log.
 */
import type { AuditEntry } from '../audit/event.js';
import { describeEntry } from '../audit/describe-entry.js';
import { apiActivity } from './api-activity.js';
import { detectionFinding } from './detection-finding.js';

const VERSION = '1.3.0';

export const schemaOf = ({ signal }: Pick<AuditEntry, 'signal'>): string =>
  `https://schema.ocsf.io/${VERSION}/classes/${signal ? 'detection_finding' : 'api_activity'}`;

export function ocsfEvent(entry: AuditEntry, id: string) {
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
  };
}

/** What else speaks of the same: the signal, else the task, else the revocation, else the request. */
function correlation({ signal, task, revocation, requestId }: AuditEntry): { correlation_uid?: string } {
  const ended = revocation?.selector.kind === 'task' ? revocation.selector.value : undefined;
  const uid = signal?.id ?? task ?? ended ?? revocation?.id ?? requestId;
  return uid === undefined ? {} : { correlation_uid: uid };
}
