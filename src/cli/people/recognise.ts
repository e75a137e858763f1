/**
 * What a pasted text can be, without asking anybody. A text that may be a secret is never taken for a name: names stand in
 * addresses and in the audit log.
 */
import { ID_BODY } from '../../domain/id.js';
import { isName } from '../../domain/name.js';
import type { Selector, SelectorKind } from '../../domain/selector.js';
import { holdsToken } from '../../domain/token-in-text.js';
import { handlesIn } from '../../targets/kinds.js';

export type Thing =
  /** The text has a token in it: the broker searches it. */
  | { is: 'token' }
  /** An id of a credential, or what its target calls it. */
  | { is: 'credential'; id: string }
  | { is: 'task'; id: string }
  | { is: 'decision'; id: string }
  | { is: 'signal'; id: string }
  /** A question to people. */
  | { is: 'approval'; id: string }
  | { is: 'request'; id: string }
  /** The number of a revocation. */
  | { is: 'revocation'; seq: number }
  /** The code of a refusal: docs/errors.md. */
  | { is: 'refusal'; code: string }
  /** The name of a party, a login or a target: by each of these kinds it could be revoked. */
  | { is: 'name'; selectors: Selector[] }
  /** An e-mail address, without the trust name that the broker puts before it. */
  | { is: 'address' };

/** A line of a log has several. What is behind these is not looked at, and the answer says so. */
export const THINGS_MOST = 8;

const IDS = new RegExp(String.raw`\b(tsk|crd|dec|sig|apr)_${ID_BODY}\b`, 'g');
const REQUESTS = /\breq_[\w.~-]{1,60}/g;
const ERROR_PAGES = /\/errors#([a-z_]{1,64})\b/g;
const KINDS_OF_ID = { tsk: 'task', crd: 'credential', dec: 'decision', sig: 'signal', apr: 'approval' } as const;

/** Returns what is in the text, the most telling first; nothing where it could be anything. */
export function recognised(text: string): Thing[] {
  if (holdsToken(text)) return [{ is: 'token' }];
  const things = [
    ...[...text.matchAll(ERROR_PAGES)].map(([, code = '']) => ({ is: 'refusal', code }) as const),
    ...[...text.matchAll(IDS)].map(([id, prefix]) => ({ is: KINDS_OF_ID[prefix as keyof typeof KINDS_OF_ID], id })),
    ...handlesIn(text, THINGS_MOST + 1).map((id) => ({ is: 'credential', id }) as const),
    ...[...text.matchAll(REQUESTS)].map(([id]) => ({ is: 'request', id }) as const),
  ];
  if (things.length > 0) return [...new Map(things.map((thing) => [JSON.stringify(thing), thing])).values()];
  if (/^[1-9]\d{0,14}$/.test(text)) return [{ is: 'revocation', seq: Number(text) }];
  if (/^[^\s@:/]+@[^\s@:/]+$/.test(text)) return [{ is: 'address' }];
  const selectors = kindsOfName(text).map((kind) => ({ kind, value: text }));
  return selectors.length > 0 ? [{ is: 'name', selectors }] : [];
}

/** `<trust name>:<sub>`, a SPIFFE ID, or the resource of a target. Nothing else: a password may look like any other text. */
function kindsOfName(text: string): SelectorKind[] {
  if (!isName(text)) return [];
  if (text.startsWith('spiffe://')) return ['workload', 'principal'];
  if (/^https?:\/\//.test(text)) return ['target'];
  if (/^email:[\w-]+\//.test(text)) return ['principal'];
  return /^[a-z][a-z0-9-]{0,63}:/.test(text) ? ['workload', 'principal', 'subject', 'session', 'target'] : [];
}
