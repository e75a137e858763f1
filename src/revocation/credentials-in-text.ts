/**
 * What a text names of this broker: credentials by its tokens, in whatever they are wrapped, and by the names that targets have for
 * sessions; and approvals by their deferral codes. What the text does not name is never made up.
 */
import type { Deps } from '../authorization/deps.js';
import { inspect, verifiedClaims, type Shown } from '../authorization/inspect.js';
import type { Approval } from '../domain/approval.js';
import { approvalOfCode } from '../domain/deferral-code.js';
import { BrokerError } from '../domain/errors.js';
import { CANDIDATES_MOST, ownTokensIn } from '../domain/own-tokens-in-text.js';
import { readByCode } from '../ledger/approvals.js';
import { findCredential, type Found } from '../ledger/credentials.js';
import { credentialsByHandle } from '../ledger/handles.js';

type TextDeps = Pick<Deps, 'ledger' | 'keys' | 'settings' | 'observer'>;

export interface CredentialInText {
  id: string;
  task: string;
  workload: string;
  expiresAt: number;
  /** The records; absent if they cannot be read. */
  found?: Found;
}

interface InText {
  /** Each once, as are the approvals. */
  credentials: CredentialInText[];
  approvals: Approval[];
  /** The text has a token that a key of this broker signed, and that no record confirms. */
  unrecorded: boolean;
}

/** Throws `invalid_request` for a text with more tokens or names than are looked at: one behind them would stay alive. */
export async function findInText(deps: TextDeps, text: string, shown: Shown): Promise<InText> {
  const candidates = ownTokensIn(text);
  if (candidates.length > CANDIDATES_MOST) throw new BrokerError('invalid_request', TOO_MANY);
  const isCode = (candidate: string) => approvalOfCode(candidate) !== undefined;
  const [codes, tokens] = [candidates.filter(isCode), candidates.filter((one) => !isCode(one))];
  const called = await credentialsByHandle(deps.ledger, text);
  const [byHandle, byToken, byCode] = await Promise.all([
    Promise.all(called.map(async (id) => namedBy(await findCredential(deps.ledger, id)))),
    Promise.all(tokens.map((token) => credentialOf(deps, token, { ...shown, purpose: 'ending' }))),
    Promise.all(codes.map((code) => readByCode(deps.ledger, code))),
  ]);
  const all = [...byHandle, ...byToken].filter((one) => one !== undefined);
  const named = all.filter((one) => one !== 'unrecorded');
  return {
    credentials: eachOnce(named),
    approvals: eachOnce(byCode.filter((one) => one !== undefined)),
    unrecorded: all.includes('unrecorded'),
  };
}

const eachOnce = <T extends { id: string }>(found: readonly T[]): T[] => [
  ...new Map(found.map((one) => [one.id, one])).values(),
];

const TOO_MANY = `The text contains more than ${CANDIDATES_MOST} tokens. Send each by itself. Nothing was revoked.`;

async function credentialOf(
  deps: TextDeps,
  token: string,
  shown: Shown,
): Promise<CredentialInText | 'unrecorded' | undefined> {
  try {
    const inspected = await inspect(deps, token, shown);
    return inspected && (namedBy(inspected.found) ?? 'unrecorded');
  } catch {
    // A record that cannot be read must not stop a revocation: the token itself says which credential it is, and whose.
    const claims = await verifiedClaims(deps, token, shown);
    return claims && { id: claims.jti, task: claims.task.id, workload: claims.client_id, expiresAt: claims.exp * 1000 };
  }
}

const namedBy = (found: Found | undefined): CredentialInText | undefined =>
  found && {
    id: found.credential.id,
    task: found.task.id,
    workload: found.task.workload.id,
    expiresAt: found.credential.expiresAt,
    found,
  };
