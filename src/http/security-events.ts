/** POST /signals (RFC 8935): a transmitter pushes one Security Event Token. The answer is 202 only after the token is stored durably. */
import { BrokerError } from '../domain/errors.js';
import { demandContentType, textOf } from './wire/body.js';
import { described, type Contract } from './wire/contract.js';
import type { Answer, Call } from './wire/endpoint.js';
import { SetRefused } from '../identity/transmitters.js';
import { claimedBy } from '../identity/token.js';
import { SET_CONTENT_TYPE, type SetErrorCode } from '../protocol/security-event.js';
import { acceptSignal, reportFromSet } from '../signals/accept.js';
import type { HttpDeps } from './deps.js';

const contract: Contract = {
  summary:
    'Takes one event of a transmitter (RFC 8935, SSF 1.0). The answer comes when it is durable. A refusal has `err` and ' +
    '`description`.',
  proof: 'signature',
  raw: [SET_CONTENT_TYPE, 'A Security Event Token (RFC 8417).'],
  answers: { 202: {} },
  refusals: ['slow_down', 'quota_exceeded'],
};

export const signalPush = (deps: HttpDeps) =>
  described(contract, async (call) => {
    demandContentType(call.headers['content-type'], SET_CONTENT_TYPE);
    try {
      return await receive(deps, call);
    } catch (error) {
      if (error instanceof SetRefused) {
        call.noted.advice = error.advice;
        return refusal(call, error.err, error.message);
      }
      // The transmitter used one id for two events. One of them is a forgery or a mistake, and the broker cannot know which.
      if (error instanceof BrokerError && error.code === 'conflict')
        return refusal(call, 'invalid_request', error.message);
      throw error;
    }
  });

async function receive(deps: HttpDeps, { body, noted }: Call): Promise<Answer> {
  const { transmitters, metrics } = deps;
  const { transmitter, claims, event, digest } = await transmitters.receive(textOf(body).trimEnd());
  const { name, about, ignoreMembers, events } = transmitter;
  noted.transmitter = name;
  const report = { source: name, about, ignoreMembers, digest, ...reportFromSet(claims, event, events) };
  // The limit counts only after the token is verified, or strangers could use up what the transmitter may send.
  const { put } = await acceptSignal(deps, { ...report, assertWithinRate: () => deps.assertWithinSignalRate(name) });
  metrics.signal(name, report.event, put);
  return { status: 202 };
}

/** Returns the refusal of an event token, in the form of RFC 8935 §2.3. */
function refusal({ body, noted }: Call, err: SetErrorCode, description: string): Answer {
  noted.reason = description;
  noted.claimed = () => claimedBy(body.toString());
  return { status: 400, headers: { 'Content-Language': 'en' }, body: { err, description } };
}
