/** Whether a Security Event Token is one of ours to hear: from a transmitter we know, for us, signed, now, and one event. */
import type { Transmitter } from '../config/signals-schema.js';
import { sha256 } from '../domain/digest.js';
import { HARD_LIMITS } from '../domain/limits.js';
import { type Clock, toSeconds } from '../domain/time.js';
import { SET_TYP, type SetClaims, setClaimsSchema, type SetErrorCode } from '../protocol/security-event.js';
import { keySource } from './key-source.js';
import { checkHeader, readToken, Refused, type Unverified } from './token.js';
import { verifySignature } from './signature.js';
import { createTrustKeys, type TrustKeys } from './trust-keys.js';

interface ReceivedSet {
  transmitter: Pick<Transmitter, 'name' | 'about'>;
  claims: SetClaims;
  /** The URI of its one event, and what it says. */
  event: [uri: string, facts: object];
  /** SHA-256 (base64url) of the claims as sent. Not of header and signature: whoever sends it again may sign it again. */
  digest: string;
}

/** A refusal as RFC 8935 §2.3 words it. */
export class SetRefused extends Error {
  override name = 'SetRefused';
  readonly err: SetErrorCode;

  constructor(err: SetErrorCode, description: string) {
    super(description);
    this.err = err;
  }
}

interface TransmittersSetup {
  transmitters: readonly Transmitter[];
  clock: Clock;
  clockSkewSeconds: number;
  baseDirectory: string;
}

/** How long one may be under way: it is remembered for longer than that, so that none is taken twice. */
const AGE_SECONDS_MOST = HARD_LIMITS.taskLifetimeSeconds;

export interface Transmitters {
  /** Throws SetRefused; or what else stands in the way, e.g. keys that cannot be fetched now. */
  receive(text: string): Promise<ReceivedSet>;
}

export function createTransmitters(setup: TransmittersSetup): Transmitters {
  const known = setup.transmitters.map((transmitter): Known => {
    const source = keySource(transmitter.jwks, setup.baseDirectory);
    return { transmitter, keys: createTrustKeys(source, 'jwks', setup.clock) };
  });
  return {
    async receive(text: string): Promise<ReceivedSet> {
      const token = read(text);
      const from = senderOf(token, known);
      await verify(token, from);
      const claims = claimsOf(token, from.transmitter, setup);
      const [event, ...more] = Object.entries(claims.events);
      if (!event || more.length > 0) throw new SetRefused('invalid_request', 'An event token has exactly one event.');
      const digest = sha256(text.split('.', 2)[1] ?? '');
      return { transmitter: from.transmitter, claims, event, digest };
    },
  };
}

interface Known {
  transmitter: Transmitter;
  keys: TrustKeys;
}

function read(text: string): Unverified {
  try {
    return readToken(text);
  } catch (error) {
    throw refused('invalid_request', error);
  }
}

/** One issuer may stand twice, for different audiences. Nothing is believed yet: whichever it is, its keys and rules decide. */
function senderOf({ claims }: Unverified, known: readonly Known[]): Known {
  const candidates = known.filter(({ transmitter }) => transmitter.issuer === claims['iss']);
  const [first] = candidates;
  if (!first) throw new SetRefused('invalid_issuer', 'No transmitter with this issuer is configured.');
  const audience: unknown = [claims['aud']].flat()[0];
  return candidates.find(({ transmitter }) => transmitter.audience === audience) ?? first;
}

async function verify({ text, header }: Unverified, { transmitter, keys }: Known): Promise<void> {
  const { algorithms } = transmitter;
  const { typ } = header;
  // Explicitly typed, always: any other JWT of the same issuer (an ID token, a logout token) is no event.
  if (typeof typ !== 'string' || typ.toLowerCase().replace(/^application\//, '') !== SET_TYP)
    throw new SetRefused('invalid_request', `The event token must have the type ${SET_TYP}.`);
  try {
    checkHeader(header, { algorithms, acceptsType: () => true });
  } catch (error) {
    throw refused(algorithms.some((one) => one === header['alg']) ? 'invalid_request' : 'authentication_failed', error);
  }
  try {
    await verifySignature(text, keys, algorithms);
  } catch (error) {
    throw refused(
      error instanceof Refused && error.message.startsWith('names') ? 'invalid_key' : 'authentication_failed',
      error,
    );
  }
}

function claimsOf(
  { claims }: Unverified,
  { audience }: Transmitter,
  { clock, clockSkewSeconds }: TransmittersSetup,
): SetClaims {
  const parsed = setClaimsSchema.safeParse(claims);
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.map(String).join('.').slice(0, 64) ?? '';
    throw new SetRefused('invalid_request', `The claims are not those of a security event token${at && ` (${at})`}.`);
  }
  const audiences = [parsed.data.aud].flat();
  if (audiences.length !== 1 || audiences[0] !== audience)
    throw new SetRefused('invalid_audience', 'The event is not addressed to this receiver alone.');
  const ageSeconds = toSeconds(clock.now()) - parsed.data.iat;
  if (ageSeconds < -clockSkewSeconds) throw new SetRefused('invalid_request', 'The event was issued in the future.');
  if (ageSeconds > AGE_SECONDS_MOST) throw new SetRefused('invalid_request', 'The event was issued too long ago.');
  return parsed.data;
}

/** What is no refusal, e.g. keys that cannot be fetched now, is not the transmitter's fault: it may ask again. */
function refused(err: SetErrorCode, error: unknown): unknown {
  return error instanceof Refused ? new SetRefused(err, `The event token ${error.message}.`) : error;
}
