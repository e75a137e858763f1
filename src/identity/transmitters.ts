/** Verifies a Security Event Token (RFC 8417): from a configured transmitter, for this broker, signed, recent, with one event. */
import type { Transmitter } from '../config/signals-schema.js';
import { sha256 } from '../domain/digest.js';
import { HARD_LIMITS } from '../domain/limits.js';
import { type Clock, toSeconds } from '../domain/time.js';
import { SET_TYP, type SetClaims, setClaimsSchema, type SetErrorCode } from '../protocol/security-event.js';
import { isObject } from '../domain/json-object.js';
import { openTransmitter, type NamedKeys } from './issuer-keys.js';
import { createNearIssuer } from './near-issuer.js';
import type { Surroundings } from './key-source.js';
import { verifySignature } from './signature.js';
import { checkHeader, readToken, Refused, type Signed, type Unverified } from './token.js';

interface ReceivedSet {
  transmitter: Pick<Transmitter, 'name' | 'about' | 'ignoreMembers' | 'events'>;
  claims: SetClaims;
  /** The URI of its one event, and the members of that event. */
  event: [uri: string, facts: object];
  /**
   * SHA-256 (base64url) of the claims as sent. Header and signature are left out, because a transmitter may sign the same event
   * again.
   */
  digest: string;
}

/** A refusal with an error code of RFC 8935 §2.3. */
export class SetRefused extends Error {
  override name = 'SetRefused';
  readonly err: SetErrorCode;
  /** What an operator should look at, for the log. */
  readonly advice: string | undefined;

  constructor(err: SetErrorCode, description: string, advice?: string) {
    super(description);
    this.err = err;
    this.advice = advice;
  }
}

interface TransmittersSetup extends Surroundings {
  transmitters: readonly Transmitter[];
  clock: Clock;
  clockSkewSeconds: number;
}

/** The oldest event that is accepted. Accepted events are remembered for longer than this, so a replay is always noticed. */
const AGE_SECONDS_MAX = HARD_LIMITS.taskLifetimeSeconds;

export interface Transmitters {
  keys: readonly NamedKeys[];
  /** Throws SetRefused when the token is at fault; any other error, e.g. keys that cannot be fetched now, is not its fault. */
  receive(text: string): Promise<ReceivedSet>;
}

export function createTransmitters(setup: TransmittersSetup): Transmitters {
  const senders = setup.transmitters.map((transmitter): Sender => ({
    transmitter,
    ...openTransmitter(transmitter, setup),
  }));
  const adviceFor = createNearIssuer(
    setup.transmitters.map(({ name, issuer }) => ({ issuer, place: `signals.transmitters entry ${name}` })),
  );
  return {
    keys: senders,
    async receive(text: string): Promise<ReceivedSet> {
      const token = read(text);
      const from = senderOf(token, senders);
      if (!from) throw new SetRefused('invalid_issuer', NO_TRANSMITTER, adviceFor(token.claims['iss']));
      await verify(token, from);
      const claims = claimsOf(token, from.transmitter, setup);
      const [event] = Object.entries(claims.events);
      if (!event) throw notOneEvent();
      const digest = sha256(text.split('.', 2)[1] ?? '');
      return { transmitter: from.transmitter, claims, event, digest };
    },
  };
}

interface Sender extends NamedKeys {
  transmitter: Transmitter;
}

function read(text: string): Unverified {
  try {
    return readToken(text);
  } catch (error) {
    throw refused('invalid_request', error);
  }
}

/**
 * Returns the transmitter whose keys and rules decide, if there is one. One issuer may be configured twice, for different
 * audiences. The claims are not verified yet.
 */
function senderOf({ claims }: Unverified, senders: readonly Sender[]): Sender | undefined {
  const candidates = senders.filter(({ transmitter }) => transmitter.issuer === claims['iss']);
  const audience: unknown = [claims['aud']].flat()[0];
  return candidates.find(({ transmitter }) => transmitter.audience === audience) ?? candidates[0];
}

const NO_TRANSMITTER = 'No transmitter with this issuer is configured.';

async function verify(token: Unverified, { transmitter, keys }: Sender): Promise<void> {
  const { algorithms } = transmitter;
  const { alg, typ } = token.header;
  // The explicit type is required: another JWT of the same issuer (an ID token, a logout token) must not pass as an event.
  if (typeof typ !== 'string' || typ.toLowerCase().replace(/^application\//, '') !== SET_TYP)
    throw new SetRefused('invalid_request', `The event token must have the type ${SET_TYP}.`);
  let signed: Signed;
  try {
    signed = checkHeader(token, { algorithms, acceptsType: () => true });
  } catch (error) {
    throw refused(algorithms.some((one) => one === alg) ? 'invalid_request' : 'authentication_failed', error);
  }
  try {
    await verifySignature(signed, keys);
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
  const { events } = claims;
  if (isObject(events) && Object.keys(events).length !== 1) throw notOneEvent();
  const parsed = setClaimsSchema.safeParse(claims);
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.map(String).join('.').slice(0, 64) ?? '';
    throw new SetRefused('invalid_request', `The claims are not those of a security event token${at && ` (${at})`}.`);
  }
  const audiences = [parsed.data.aud].flat();
  if (audiences.length !== 1 || audiences[0] !== audience)
    throw new SetRefused('invalid_audience', 'The event is not addressed to this receiver alone.');
  const ageSeconds = toSeconds(clock.unchecked()) - parsed.data.iat;
  // A clock that is behind takes every fresh event for one from the future.
  if (ageSeconds < -clockSkewSeconds && clock.isTrusted())
    throw new SetRefused('invalid_request', 'The event was issued in the future.');
  if (ageSeconds > AGE_SECONDS_MAX) {
    clock.now(); // It throws while the clock is wrong: the transmitter sends the event again.
    throw new SetRefused('invalid_request', 'The event was issued too long ago.');
  }
  return parsed.data;
}

const notOneEvent = () => new SetRefused('invalid_request', 'An event token has exactly one event.');

/** Returns a Refused as a SetRefused; any other error unchanged, because the transmitter should try again. */
function refused(err: SetErrorCode, error: unknown): unknown {
  return error instanceof Refused ? new SetRefused(err, `The event token ${error.message}.`) : error;
}
