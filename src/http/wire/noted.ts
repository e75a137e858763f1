/** What endpoints note for the log line of a request. See telemetry/request-log.ts. */
import type { CredentialRequest } from '../../credentials/request.js';
import { defined } from '../../domain/defined.js';
import { isId } from '../../domain/id.js';
import type { PartyRef } from '../../domain/party.js';
import type { RequestTrace } from '../../domain/request-trace.js';
import type { Identify } from '../../identity/identify.js';
import { claimedBy } from '../../identity/token.js';
import type { HttpDeps } from '../deps.js';
import type { Call } from './endpoint.js';

type Noting = Pick<Call, 'noted'>;

/** What of a call is kept beside what was done in it. */
export const traceOf = ({ requestId, address }: Pick<Call, 'requestId' | 'address'>): RequestTrace =>
  defined({ requestId, address });

/** Returns an `identify` that notes whom a proof proved; of one that is not accepted, what it claims. */
export const noting =
  ({ identify }: Pick<HttpDeps, 'identify'>, call: Noting & Pick<Call, 'requestId' | 'address'>): Identify =>
  async (token, as) => {
    try {
      const caller = await identify(token, { ...as, trace: traceOf(call) });
      noteParty(call, caller.party);
      return caller;
    } catch (error) {
      call.noted.claimed = () => claimedBy(token);
      throw error;
    }
  };

export function noteParty({ noted }: Noting, { kind, id, issuer }: Pick<PartyRef, 'kind' | 'id' | 'issuer'>): void {
  noted[kind] = id;
  noted.issuer = issuer;
}

/** Notes and returns the request. A target that is not configured may be anything, a secret too, so it is not noted. */
export function noteRequest(
  { targets }: Pick<HttpDeps, 'targets'>,
  call: Noting,
  request: CredentialRequest,
): CredentialRequest {
  const { target, under } = request;
  if (targets.has(target)) call.noted.target = target;
  if ('taskId' in under) noteTask(call, under.taskId);
  return request;
}

/** Notes the text if it is the id of a task. */
export function noteTask({ noted }: Noting, text: string | undefined): void {
  if (text !== undefined && isId('tsk', text)) noted.task = text;
}
