/**
 * One attempt at a grant: admission, the permission to open a task, the decision about the access, with the yes of people where policy
 * wants it, and then the reservation of the credential. Nothing is minted here.
 */
import type { Parked } from '../approvals/approval-request.js';
import { redeem, type Redeemed } from '../approvals/redeem.js';
import { decideAccess, denied, type AccessQuestion } from '../authorization/decide.js';
import { permitOpening } from '../authorization/permit-opening.js';
import { proofsOf, type Requester } from '../authorization/requester.js';
import type { Target } from '../config/schema.js';
import { pairsOf } from '../domain/access.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { likenessOfUrl } from '../domain/near-names.js';
import { assertEnforceable } from '../enforcement/assert-enforceable.js';
import { draftReservation, reserve } from '../ledger/credentials.js';
import { besideOf, claimed } from '../ledger/found-task.js';
import type { Minter } from '../minters/minter.js';
import { kindOf } from '../targets/kinds.js';
import { admit, type Admission } from './admit.js';
import type { Deps } from './deps.js';
import { makeRoom, narrow, requestedSeconds, secondsByProof } from './narrow.js';
import type { Grant, Reissue } from './release.js';
import type { CredentialRequest } from './request.js';

type AskedRequest = CredentialRequest & { requestId: string };

/** A request that was admitted, for a target that has a minter. */
interface Admitted {
  requester: Requester;
  request: AskedRequest;
  target: Target;
  minter: Minter;
  admission: Admission;
  /** Seconds, of the task that is opened with it. */
  openedFor: number | undefined;
}

/** Returns the grant, or what waits for people. Undefined: the records changed in between; then everything is read and decided again. */
export async function reserveGrant(
  deps: Deps,
  requester: Requester,
  request: AskedRequest,
): Promise<Grant | Reissue | Parked | undefined> {
  deps.assertFitToMint();
  const target = knownTarget(deps, request.target);
  const minter = minterOf(deps, target);
  refuseOtherType(target, request.tokenType);
  refuseUnknownActions(deps.policy, request);

  const admission = await admit(deps, requester, request, target);
  if (!admission) return undefined;
  if (kindOf(target.minter).enforced) await assertEnforceable(deps.ledger, target.resource, admission);
  // Without a task, policy must first permit the one that is opened together with the credential.
  const opening = admission.stored
    ? undefined
    : await permitOpening(deps.policy, requester.caller.party, admission.task);
  const task = opening?.task ?? admission.task;
  const admitted = {
    requester,
    request,
    target,
    minter,
    admission: { ...admission, task },
    openedFor: opening?.seconds,
  };
  const granted = await grantedAccess(deps, admitted);
  if (!granted || 'waiting' in granted) return granted;
  // The same was asked before, under a task that was opened for it: it is asked for under that one.
  if ('taskId' in granted) return reserveGrant(deps, requester, { ...request, under: granted });
  const policies = [...new Set([...(opening?.decision.policies ?? []), ...granted.decision.policies])];
  return reserveGranted(deps, admitted, { ...granted, decision: { ...granted.decision, policies } });
}

/** Absent parts: policy permitted it without asking anybody. */
type Granted = Pick<Redeemed, 'decision'> & Partial<Redeemed>;

/** Asks policy, and where that wants the yes of people, looks for it. Throws the refusal. */
async function grantedAccess(
  deps: Deps,
  admitted: Admitted,
): Promise<Granted | Parked | { taskId: string } | undefined> {
  const { requester, request, target, minter, admission } = admitted;
  const mostSeconds = Math.min(
    minter.lifetimeSecondsMax?.(target.resource) ?? Infinity,
    secondsByProof(deps.settings, proofsOf(requester), admission.now),
  );
  const question: AccessQuestion = {
    party: requester.caller.party,
    task: admission.task,
    target: target.resource,
    access: admission.access,
    risk: admission.risk,
    now: admission.now,
    lifetimeSeconds: requestedSeconds(deps.settings, mostSeconds, request),
  };
  const decision = defined({ ...(await decideAccess(deps, question)), openedFor: admitted.openedFor });
  if (decision.outcome === 'deny') throw denied(decision);
  if (decision.outcome === 'permit') return { decision };
  // Nobody is asked about what cannot be minted.
  await minter.assertMintable?.(narrow(admission, decision, target));
  const { lifetimeSeconds, tokenType, askedAsScope, requestId } = request;
  const asked = { target: target.resource, access: admission.access, lifetimeSeconds, tokenType, askedAsScope };
  return redeem(deps, { ...admission, requester, asked, question, needed: decision, requestId });
}

/** @param granted less than what was asked for, where people agreed to less */
async function reserveGranted(
  deps: Deps,
  { requester, request, target, minter, admission }: Admitted,
  { decision, access, approval, redemptionChange, remember = (task) => task }: Granted,
): Promise<Grant | Reissue | undefined> {
  const { stored } = admission;
  const { enforced: durable } = kindOf(target.minter);
  const credential = narrow(defined({ ...admission, access: access ?? admission.access, approval }), decision, target);
  const { again } = request;
  const session = again && (await deps.sessions.inPlaceOf(credential, admission.task));
  if (session) return { requester, session, task: admission.task, decision };
  const task = remember(await makeRoom(deps, admission, credential));
  await minter.assertMintable?.(credential);
  const beside = [besideOf(admission, task), ...(redemptionChange ? [redemptionChange(credential.id)] : [])];
  const drafted = draftReservation(defined({ credential, task, stored, beside, durable }));
  await deps.assertWithinQuota(requester.caller.party, { bytes: drafted.bytes, task, opens: !stored });
  const reserved = (await claimed(deps.ledger, admission, task)) && (await reserve(deps.ledger, drafted));
  return reserved ? defined({ requester, reserved, task, opened: !stored, decision, minter, again }) : undefined;
}

function knownTarget({ targets }: Pick<Deps, 'targets'>, resource: string): Target {
  const target = targets.get(resource);
  if (target) return target;
  // Only another spelling of what the caller has named, and is sure of: a guess would tell it the names of targets.
  const sent = likenessOfUrl(resource);
  const meant = [...targets.keys()].find((one) => likenessOfUrl(one) === sent);
  const advice = meant === undefined ? '' : `; ${meant} is one`;
  throw new BrokerError('invalid_target', `The resource is not a target of this broker${advice}.`);
}

function minterOf({ minters }: Pick<Deps, 'minters'>, target: Target): Minter {
  const minter = minters.get(target.minter);
  if (!minter) throw new Error('no minter for a configured target');
  return minter;
}

function refuseOtherType(target: Target, type: string | undefined): void {
  const { tokenTypes } = kindOf(target.minter);
  if (type === undefined || tokenTypes.includes(type)) return;
  throw new BrokerError('invalid_request', `The requested_token_type must be ${tokenTypes[0]}, or be left out.`);
}

function refuseUnknownActions(
  policy: Deps['policy'],
  { access = [], askedAsScope }: Pick<CredentialRequest, 'access' | 'askedAsScope'>,
): void {
  const unknown = pairsOf(access).find(({ action }) => !policy.isGrantable(action));
  if (!unknown) return;
  const code = askedAsScope ? 'invalid_scope' : 'invalid_authorization_details';
  throw new BrokerError(code, `The action "${unknown.action}" does not exist.`);
}
