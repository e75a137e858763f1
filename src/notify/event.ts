/**
 * An audit entry as a CloudEvent (CloudEvents 1.0.2, structured mode) with an OCSF body, and the broker's signature over
 * it. The same entry always becomes the same event.
 */
import { hashOf } from '../audit/chain.js';
import type { AuditEntry } from '../audit/event.js';
import { defined } from '../domain/defined.js';
import { formatSelector } from '../domain/selector.js';
import { toTimestamp } from '../domain/time.js';
import type { Keys } from '../keys/keys.js';
import { ocsfEvent, schemaOf } from './ocsf.js';

/** Enough of the line's hash to distinguish two audit logs with the same numbers, should one ever be lost. */
const HASH_CHARACTERS = 16;

/** No token has this type: a signed event can never be presented as a token. */
const WEBHOOK_TYP = 'mayfly-webhook+jws';

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
    data: ocsfEvent(entry, id, issuer),
  });
}

/**
 * Returns the number of the audit entry and the beginning of its hash, so that an event can be compared with what `/audit`
 * shows.
 */
export const eventId = (seq: number, line: string): string => `${seq}.${hashOf(line).slice(0, HASH_CHARACTERS)}`;

/**
 * Returns the exact bytes of an event, and a JWS over them with detached payload (RFC 7515, appendix F). No secret is
 * shared with receivers: whoever can read /jwks can verify the event, and only the broker can make one.
 */
export async function signedEvent(
  keys: Pick<Keys, 'sign'>,
  event: object,
): Promise<{ body: Buffer; signature: string }> {
  const jws = await keys.sign({ ...event }, { typ: WEBHOOK_TYP });
  const [header = '', payload = '', signature = ''] = jws.split('.');
  return { body: Buffer.from(payload, 'base64url'), signature: `${header}..${signature}` };
}

/** Returns `kind:value` of the narrowest thing that the entry names, or undefined when it names nothing. */
function subjectOf({
  revocation,
  signal,
  approval,
  credential,
  task,
  workload,
  target,
}: AuditEntry): string | undefined {
  const [first] = signal?.about ?? [];
  const selector = revocation?.selector ?? signal?.reaction?.selector ?? first;
  if (selector) return formatSelector(selector, ':');
  const named = Object.entries({ signal: signal?.id, approval: approval?.id, credential, task, workload, target });
  const [found] = named.filter(([, value]) => value !== undefined);
  return found && `${found[0]}:${found[1] ?? ''}`;
}
