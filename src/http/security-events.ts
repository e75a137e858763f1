/** POST /signals (RFC 8935): a transmitter pushes one Security Event Token; 202 is said only when it is durable. */
import { BrokerError } from '../domain/errors.js';
import { SetRefused } from '../identity/transmitters.js';
import { SET_CONTENT_TYPE, type SetErrorCode } from '../protocol/security-event.js';
import { acceptSignal, reportFromSet } from '../signals/accept.js';
import { demandContentType, textOf } from './wire/body.js';
import type { HttpDeps } from './deps.js';
import type { Answer, Handle } from './wire/endpoint.js';

export const signalPush =
  (deps: HttpDeps): Handle =>
  async ({ headers, body }) => {
    demandContentType(headers['content-type'], SET_CONTENT_TYPE);
    try {
      return await heard(deps, textOf(body));
    } catch (error) {
      if (error instanceof SetRefused) return refusal(error.err, error.message);
      // Its own id for two things: one of them is a forgery or a mistake, and nobody can tell which.
      if (error instanceof BrokerError && error.code === 'conflict') return refusal('invalid_request', error.message);
      throw error;
    }
  };

async function heard(deps: HttpDeps, text: string): Promise<Answer> {
  const { transmitters, metrics } = deps;
  const { transmitter, claims, event, digest } = await transmitters.receive(text);
  const { name, about } = transmitter;
  const told = { source: name, about, digest, ...reportFromSet(claims, event) };
  // Only here: strangers must not be able to use up what a transmitter may send.
  const { put } = await acceptSignal(deps, { ...told, assertWithinRate: () => deps.assertWithinSignalRate(name) });
  metrics.signal(name, told.event, put);
  return { status: 202 };
}

/** RFC 8935 §2.3. */
const refusal = (err: SetErrorCode, description: string): Answer => ({
  status: 400,
  headers: { 'Content-Language': 'en' },
  body: { err, description },
});
