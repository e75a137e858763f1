/** What every foreign token must satisfy, whoever issued it: its form, its header, its times and its declared type. */
import { defined } from '../domain/defined.js';
import { HARD_LIMITS } from '../domain/limits.js';
import type { Party } from '../domain/party.js';
import { masked } from '../domain/text.js';
import { LATEST_SECONDS } from '../domain/time.js';
import { COMPACT_JWS } from '../protocol/jws.js';
import { ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE, JWT_ASSERTION, JWT_TYPE, SPIFFE_ASSERTION } from '../protocol/oauth.js';
import { type JsonObject, readObject } from '../domain/json-object.js';

/**
 * Why a token proves nothing, as the rest of a sentence that begins "The subject token …". identify() makes it a
 * BrokerError.
 */
export class Refused extends Error {
  override name = 'Refused';
  /** What an operator should look at, for the log. It may say what is configured, which the caller must not learn. */
  readonly advice: string | undefined;

  constructor(reason: string, advice?: string) {
    super(reason);
    this.advice = advice;
  }
}

/**
 * A token that is parsed and not verified. It is parsed once: routing, checks and claims all read this object, so no second
 * parser can find other claims in the same text (of a repeated JSON key the last one counts).
 */
export interface Unverified {
  text: string;
  header: JsonObject;
  claims: JsonObject;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function readToken(text: string): Unverified {
  // The form is checked before decoding: decoders forgive padding, line breaks and more, and each variant would be another
  // "valid" token.
  if (!COMPACT_JWS.test(text)) throw new Refused('is not a signed JWT in compact form');
  const [header, claims] = text.split('.').map(decodeSegment);
  return { text, header: parseObject(header), claims: parseObject(claims) };
}

function decodeSegment(segment: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url');
  // The last character has unused bits, so several spellings decode to the same bytes. Only the canonical one is the token.
  if (bytes.toString('base64url') !== segment) throw new Refused('is not encoded as base64url');
  return bytes;
}

function parseObject(bytes: Buffer | undefined): JsonObject {
  const object = readObject(textOf(bytes));
  if (object === undefined) throw new Refused('does not hold two JSON objects');
  return object;
}

/** Returns an empty text for bytes that are not UTF-8. */
function textOf(bytes: Buffer | undefined): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return '';
  }
}

/**
 * Returns who a token says made it, and with which key, for an operator who asks why it was not accepted. Nothing of it is
 * proven: anybody can write anything there, so it is cut, and has no unprintable characters.
 */
export function claimedBy(text: string): { iss?: string; kid?: string } {
  try {
    if (text.length > HARD_LIMITS.subjectTokenBytes) return {};
    const { header, claims } = readToken(text);
    return defined({ iss: shown(claims['iss']), kid: shown(header['kid']) });
  } catch {
    return {};
  }
}

const shown = (value: unknown): string | undefined =>
  typeof value === 'string' ? masked(value.slice(0, CLAIMED_CHARACTERS)) : undefined;
const CLAIMED_CHARACTERS = 128;

interface HeaderRules {
  algorithms: readonly string[];
  acceptsType: (typ: string) => boolean;
  /** When given, a header parameter with another name refuses the token. */
  only?: readonly string[];
}

/** A token by whose header its key is found. */
export interface Signed {
  text: string;
  alg: string;
  kid: string | undefined;
}

/** The parameters that say where keys are (`jku`, `jwk`, `x5u`, `x5c`) are never read: an attacker would name their own key. */
export function checkHeader({ text, header }: Unverified, { algorithms, acceptsType, only }: HeaderRules): Signed {
  const { alg, typ, kid } = header;
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    throw new Refused(`must be signed with ${algorithms.join(' or ')}`);
  }
  // A JWT made for another purpose (security event, DPoP proof, logout) carries its own type and proves no identity.
  if (typ !== undefined && (typeof typ !== 'string' || !acceptsType(typ))) {
    throw new Refused('is of a type that is not taken as proof of identity');
  }
  if (kid !== undefined && typeof kid !== 'string') throw new Refused('has a key id that is not text');
  // `crit` lists extensions that the reader must understand (RFC 7515 §4.1.11). The broker understands none.
  if (Object.hasOwn(header, 'crit')) throw new Refused('demands a header extension');
  if (only && Object.keys(header).some((parameter) => !only.includes(parameter))) {
    throw new Refused(`may have no header but ${only.join(', ')}`);
  }
  return { text, alg, kid };
}

/** When a token is valid, in milliseconds. Read once, and checked again each time a cached proof is used. */
export interface TokenTimes {
  expiresAt: number;
  notBefore?: number;
  issuedAt: number;
}

export function readTimes(claims: JsonObject): TokenTimes {
  const expiresAt = moment(claims, 'exp');
  if (expiresAt === undefined) throw new Refused('must say when it expires (exp)');
  const notBefore = moment(claims, 'nbf');
  const issuedAt = moment(claims, 'iat');
  if (issuedAt === undefined) throw new Refused('must say when it was issued (iat)');
  return defined({ expiresAt, issuedAt, notBefore });
}

/** What a token must keep to: the difference allowed between clocks, and its age at most. The age is set per issuer. */
interface TimeRules {
  skewMs: number;
  proofAgeSeconds: number;
}

/** Returns why a token is not valid now, as the end of a sentence ("The subject token …"); undefined if it is. */
export function timesProblem(
  { expiresAt, notBefore, issuedAt }: TokenTimes,
  now: number,
  { skewMs, proofAgeSeconds }: TimeRules,
): string | undefined {
  if (now >= expiresAt + skewMs) return 'has expired';
  if (notBefore !== undefined && notBefore > now + skewMs) return 'is not valid yet';
  // A cutoff refuses tokens issued before it. A token from the future would escape every cutoff, and so would one that is
  // older than cutoffs are remembered.
  if (issuedAt > now + skewMs) return 'was issued in the future';
  if (issuedAt < now - proofAgeSeconds * 1000)
    return `is too old; present one issued within the last ${proofAgeSeconds} seconds`;
  return undefined;
}

function moment(claims: JsonObject, claim: 'exp' | 'nbf' | 'iat'): number | undefined {
  const seconds = claims[claim];
  if (seconds === undefined) return undefined;
  // A larger number is a mistake (milliseconds for seconds). JSON can write Infinity (1e999), and every comparison with NaN is
  // false: only a plain number of seconds is accepted.
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= LATEST_SECONDS)) {
    throw new Refused(`must give ${claim} as a number of seconds since 1970`);
  }
  return Math.floor(seconds * 1000);
}

/** What a token turned out to be, for comparison with what its request declares. */
export interface TokenKind {
  kind: 'oidc' | 'oidc-access-token' | 'id-jag' | 'spiffe';
  party: Pick<Party, 'kind'>;
}

const anything = (): boolean => true;

// A Map, not an object: the key comes from the request and could be `constructor`.
const FITS = new Map<string, (token: TokenKind) => boolean>([
  [JWT_TYPE, anything],
  [ID_TOKEN_TYPE, ({ kind }) => kind === 'oidc'],
  // Many identity providers give their access tokens no type of their own, so any token of a person may be one.
  [ACCESS_TOKEN_TYPE, ({ kind, party }) => kind === 'oidc-access-token' || party.kind === 'person'],
  [JWT_ASSERTION, anything],
  [SPIFFE_ASSERTION, ({ kind }) => kind === 'spiffe'],
]);

/** Returns whether the token is of the type that its request declares, if it declares one (RFC 8693 §3, RFC 7523 §2.2). */
export const isDeclaredAs = (tokenType: string | undefined, token: TokenKind): boolean =>
  tokenType === undefined || (FITS.get(tokenType)?.(token) ?? false);
