/** What a verifier answers in place of claims. */

/** What the caller is told: codes of RFC 6750 §3.1, and one for "nobody knows at this moment". */
export type VerificationCode = 'invalid_token' | 'insufficient_scope' | 'temporarily_unavailable';

/** Why, for your own log and metrics. A caller needs none of it. */
export type VerificationReason =
  | 'malformed' // no compact JWT of a size that the broker makes
  | 'signature' // not signed by a key of the broker, or with another algorithm
  | 'kind' // signed by the broker, but no access token, or not one of this form
  | 'issuer' // of another broker
  | 'audience' // for another API
  | 'expired'
  | 'dead' // revoked, or its task has ended
  | 'unheard' // born in a part of the revocation log that did not come within five seconds
  | 'access' // live, but for something else
  | 'stale' // the feed was not heard for five seconds, or not yet
  | 'keys' // the keys of the broker could not be fetched
  | 'broker'; // the broker could not be asked

const STATUS = { invalid_token: 401, insufficient_scope: 403, temporarily_unavailable: 503 } as const;

const CODE: Record<VerificationReason, VerificationCode> = {
  malformed: 'invalid_token',
  signature: 'invalid_token',
  kind: 'invalid_token',
  issuer: 'invalid_token',
  audience: 'invalid_token',
  expired: 'invalid_token',
  dead: 'invalid_token',
  unheard: 'invalid_token',
  access: 'insufficient_scope',
  stale: 'temporarily_unavailable',
  keys: 'temporarily_unavailable',
  broker: 'temporarily_unavailable',
};

const SENTENCE: Record<VerificationCode, string> = {
  invalid_token: 'The credential is not valid here, or not any more.',
  insufficient_scope: 'The credential is for something else.',
  temporarily_unavailable: 'Whether the credential is alive cannot be told at this moment.',
};

/** A refusal. The message has nothing of the token and nothing of the reason, so it may be sent to the caller. */
export class VerificationError extends Error {
  override name = 'VerificationError';
  readonly code: VerificationCode;
  readonly reason: VerificationReason;
  /** The HTTP status that fits: 401, 403 or 503. */
  readonly status: 401 | 403 | 503;
  /** With `insufficient_scope`: what would have been enough, as `<path>:<action>`; undefined if no credential has such a thing. */
  readonly scope: string | undefined;

  constructor(reason: VerificationReason, { cause, scope }: { cause?: unknown; scope?: string | undefined } = {}) {
    super(SENTENCE[CODE[reason]], { cause });
    this.code = CODE[reason];
    this.reason = reason;
    this.status = STATUS[this.code];
    this.scope = scope;
  }
}
