/** Who asks for a credential: always a workload, sometimes for a person. */
import { BrokerError } from '../domain/errors.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { Found } from '../ledger/credentials.js';
import type { Deps } from './deps.js';

interface Presented {
  token: string;
  type: string;
}

/** Who asks, as presented. */
export interface Proofs {
  subject: Presented;
  actor?: Presented;
  clientId?: string;
}

export interface Requester {
  /** The proof of who calls: the actor token, else the subject token. */
  caller: AuthenticatedCaller;
  /** Whom the credential speaks for, when that is a person. Their proof is looked up in the log like the caller's. */
  onBehalfOf?: AuthenticatedCaller;
  /** The credential of ours that the caller proved itself by: what it is given dies with that. */
  from?: Found;
}

const ACCEPTED_TYPES = new Set([
  'urn:ietf:params:oauth:token-type:jwt',
  'urn:ietf:params:oauth:token-type:id_token',
  'urn:ietf:params:oauth:token-type:access_token',
]);

export async function identifyRequester(
  { identify }: Pick<Deps, 'identify'>,
  { subject, actor, clientId }: Proofs,
): Promise<Requester> {
  for (const { type } of actor ? [subject, actor] : [subject]) {
    if (!ACCEPTED_TYPES.has(type))
      throw new BrokerError('invalid_request', 'The token type must be urn:ietf:params:oauth:token-type:jwt.');
  }
  const proven = await identify(subject.token, { use: 'subject', tokenType: subject.type });
  const requester = actor
    ? forSomebody(proven, await identify(actor.token, { use: 'actor', tokenType: actor.type }))
    : forItself(proven);
  if (clientId !== undefined && clientId !== requester.caller.party.id) {
    throw new BrokerError('invalid_request', 'The client_id is not the workload whose token was presented.');
  }
  return requester;
}

function forItself(caller: AuthenticatedCaller): Requester {
  if (caller.party.kind === 'workload') return { caller };
  throw new BrokerError('invalid_request', "A person's token needs an actor_token: the workload that acts for them.");
}

function forSomebody(subject: AuthenticatedCaller, caller: AuthenticatedCaller): Requester {
  if (caller.party.kind !== 'workload')
    throw new BrokerError('invalid_request', 'The actor_token must be the token of a workload.');
  if (subject.party.kind !== 'person') {
    throw new BrokerError('invalid_request', 'With an actor_token the subject_token must be the token of a person.');
  }
  return { caller, onBehalfOf: subject };
}
