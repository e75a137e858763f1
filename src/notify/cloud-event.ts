/** An audit entry as a CloudEvent (CloudEvents 1.0.2, structured mode) with an OCSF body. The same entry is always the same event. */
import { defined } from '../domain/defined.js';
import type { AuditEntry } from '../audit/event.js';
import { hashOf } from '../audit/chain.js';
import { formatSelector } from '../domain/selector.js';
import { toTimestamp } from '../domain/time.js';
import { ocsfEvent, schemaOf } from './ocsf.js';

/** Enough of the line's hash to tell apart two logs that count the same, should one ever be lost. */
const HASH_CHARACTERS = 16;

export function cloudEvent(entry: AuditEntry, line: string, issuer: string) {
  const id = eventId(entry.seq, line);
  const subject = subjectOf(entry);
  return defined({
    specversion: '1.0',
    id,
    source: issuer,
    type: `mayfly.${entry.type}`,
    subject,
    time: toTimestamp(entry.at),
    datacontenttype: 'application/json',
    dataschema: schemaOf(entry),
    data: ocsfEvent(entry, id),
  });
}

/** The number of the audit entry, and the beginning of its hash: what `/audit` shows can be compared with it. */
export const eventId = (seq: number, line: string): string => `${seq}.${hashOf(line).slice(0, HASH_CHARACTERS)}`;

/** What it is about, as `kind:value`: the narrowest thing that the entry names. */
function subjectOf({ revocation, signal, credential, task, workload, target }: AuditEntry): string | undefined {
  const [first] = signal?.about ?? [];
  const selector = revocation?.selector ?? signal?.reaction?.selector ?? first;
  if (selector) return formatSelector(selector, ':');
  const named = Object.entries({ signal: signal?.id, credential, task, workload, target });
  const [found] = named.filter(([, value]) => value !== undefined);
  return found && `${found[0]}:${found[1] ?? ''}`;
}
