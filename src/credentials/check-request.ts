/** Refuses a request that names what does not exist: an unknown target, token type or action. */
import { pairsOf } from '../domain/access.js';
import { BrokerError } from '../domain/errors.js';
import type { Target } from '../config/schema.js';
import type { Minter } from '../minters/minter.js';
import { kindOf } from '../targets/kinds.js';
import type { Deps } from './deps.js';
import type { CredentialRequest } from './request.js';

export function knownTarget({ targets }: Pick<Deps, 'targets'>, resource: string): Target {
  const target = targets.get(resource);
  if (!target) throw new BrokerError('invalid_target', 'The resource is not a target of this broker.');
  return target;
}

export function minterOf({ minters }: Pick<Deps, 'minters'>, target: Target): Minter {
  const minter = minters.get(target.minter);
  if (!minter) throw new Error('no minter for a configured target');
  return minter;
}

export function refuseOtherType(target: Target, type: string | undefined): void {
  const { tokenTypes } = kindOf(target.minter);
  if (type === undefined || tokenTypes.includes(type)) return;
  throw new BrokerError('invalid_request', `The requested_token_type must be ${tokenTypes[0]}, or be left out.`);
}

export function refuseUnknownActions(
  policy: Deps['policy'],
  { access = [], askedAsScope }: Pick<CredentialRequest, 'access' | 'askedAsScope'>,
): void {
  const unknown = pairsOf(access).find(({ action }) => !policy.isGrantable(action));
  if (!unknown) return;
  const code = askedAsScope ? 'invalid_scope' : 'invalid_authorization_details';
  throw new BrokerError(code, `The action "${unknown.action}" does not exist.`);
}
