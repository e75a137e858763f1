/** Proof of identity: what a verified token says of a caller, and what an issuer must do to verify one. */
import type { Party } from '../domain/party.js';
import type { RequestTrace } from '../domain/request-trace.js';
import type { NamedActor } from './claim-values.js';
import type { IdJag } from './id-jag.js';
import type { KeySet } from './key-set.js';
import type { TokenKind, TokenTimes, Unverified } from './token.js';
import type { TrustKeys } from './trust-keys.js';

/** What identify() returns: who calls, and on which proof. */
export interface AuthenticatedCaller {
  party: Party;
  /** SHA-256 (base64url) of the token, for the audit log. The token itself does not leave identity/. */
  proofHash: string;
  /** Milliseconds; absent when the issuer did not say. A cutoff refuses proofs issued before it, and proofs without this. */
  issuedAt?: number;
  expiresAt: number;
  /** For whom alone the token was made: the broker, or a client. Who shows a person's token is that client, or got it from there. */
  audience?: string;
  /** The clients that got a person's token, where it names them: they have it, whomever it was made for. */
  issuedTo?: readonly string[];
  /** Present where the proof may be used only once (RFC 7523 §3, 7). */
  once?: SingleUse;
  /** Who alone may act for this person, where their token says so. */
  mayAct?: NamedActor;
  /** Present where the token says that somebody acts for its subject, or may: who shows it need not be the subject. */
  isForActor?: true;
  /** Present where the proof is an ID-JAG, which a client shows to act for this person. */
  idJag?: ShownIdJag;
  /** The request that the proof was shown in. */
  trace?: RequestTrace;
}

export interface ShownIdJag extends IdJag {
  /** The client, where the configuration lets this one do without authentication. */
  publicClient?: Party;
}

export interface SingleUse {
  /** SHA-256 (base64url) of the issuer and the `jti` of the token. */
  id: string;
  /** Milliseconds: from then on the token is refused for its age. */
  until: number;
}

/** In which place of a request the token stands; it decides the error code of a refusal. */
export type TokenUse = 'subject' | 'actor' | 'client' | 'bearer' | 'assertion';

/** An issuer of the configuration, of whichever kind. */
export interface TrustedIssuer {
  /** A token must be addressed to exactly one of these, and to nobody else. */
  audiences: readonly string[];
  keys: TrustKeys;
  /** How old a proof may be, by its `iat`. */
  proofAgeSeconds: number;
  /** Present where its ID-JAGs are taken: the client ids that need no authentication beside one. */
  idJag?: { publicClients: readonly string[] };
  /** Checks everything but issuer, audience and times, which identify() checks for all kinds alike. Throws Refused. */
  verify(token: Unverified): Promise<Verified>;
}

export interface Verified extends TokenKind {
  party: Party;
  mayAct?: NamedActor;
  isForActor?: true;
  issuedTo?: readonly string[];
  idJag?: IdJag;
  /** The key set that verified the signature. */
  keys: KeySet;
}

/** A verified token, as cached until it expires or its issuer's keys change. */
export interface Proof extends Verified {
  issuer: TrustedIssuer;
  idJag?: ShownIdJag;
  times: TokenTimes;
  audience: string | undefined;
  assertion: AssertionFacts;
}

/** What counts only where a token is the whole grant (RFC 7523 §2.1). */
export interface AssertionFacts {
  iss?: string;
  jti?: string;
  /** It was made for a login (OpenID Connect Core §2), so whoever got it may be any website. */
  isForLogin: boolean;
}
