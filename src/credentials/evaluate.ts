/**
 * Whether something may be done now, asked where it is done. Yes only if all of it holds at this moment: the credential lives, it
 * covers the access, the one who asks may ask, and policy would permit the access again.
 */
import { mayOnTarget, refusalOnTarget } from '../authorization/ask-on-target.js';
import { appendIfTaken, auditingRefusals, nobody } from '../authorization/audit.js';
import { refuseDeadCaller } from '../authorization/caller.js';
import { decideAccess, denied, recordOf, type Decision } from '../authorization/decide.js';
import { chargeOf, holderOf } from '../authorization/inspect.js';
import { riskNow } from '../authorization/risk-now.js';
import { isWithin } from '../domain/access.js';
import { defined } from '../domain/defined.js';
import { ifDenied } from '../domain/errors.js';
import { partyCauses } from '../domain/hangs-on.js';
import type { Given } from '../domain/party.js';
import type { Task } from '../domain/task.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { Found } from '../ledger/credentials.js';
import type { Seen } from '../ledger/revocation-log.js';
import type { AccessTokenClaims } from '../protocol/access-token.js';
import type { Deps } from './deps.js';
import { auditedUse, stateOfUse, useOf, type Question, type Use } from './use.js';

type EvaluateDeps = Pick<Deps, 'ledger' | 'policy' | 'keys' | 'audit' | 'settings' | 'observer'>;

/**
 * The order is that in which they are found. `not-permitted`: who asks may not ask about this target. `not-live`: there is no such
 * live credential for this target, and nobody is told why. `not-covered`: the credential lives, and was not granted this.
 */
export type WhyNot = 'not-permitted' | 'not-live' | 'not-covered' | 'policy';

interface Heard {
  /** Policy was asked without what the question says of the use, because it does not let the one who asks say anything. */
  unheard?: true;
}

export type Evaluation = Heard &
  ({ permitted: true; claims?: AccessTokenClaims } | { permitted: false; why: WhyNot; decision?: Decision });

const no = (why: WhyNot, decision?: Decision): Evaluation => defined({ permitted: false as const, why, decision });

/**
 * The look at the log begins after the question arrived.
 * @param asker Undefined: the configuration lets whoever shows a credential of the target ask about it.
 */
export async function evaluate(
  deps: EvaluateDeps,
  asker: AuthenticatedCaller | undefined,
  question: Question,
): Promise<Evaluation> {
  const { ledger } = deps;
  const use = await useOf(deps, asker, question);
  const seen = await ledger.log.look([...use.causes, ...(asker ? partyCauses(asker.party) : [])]);
  if (asker && !(await admitAsker(deps, asker, { seen, use, question }))) return no('not-permitted');
  const now = ledger.clock.now();
  const about = auditedUse(asker, { use, question, at: now });
  const state = stateOfUse({ use, seen, now, question });
  if (state !== 'live') {
    // One that is only named by its id was shown to nobody.
    if (state === 'ended' && use.found && 'token' in question.subject) deps.observer.deadUse(chargeOf(use.found));
    await appendIfTaken(deps.audit, { ...about, type: 'introspection.inactive' });
    return no('not-live');
  }
  const { target, found, task } = use;
  const { path, action } = question;
  if (target === undefined || !task) return no('not-live');
  const granted = found?.credential.access.map((one) => ({ target, ...one }));
  if (granted && !isWithin(granted, target, [{ path, actions: [action] }])) {
    await appendIfTaken(deps.audit, {
      ...about,
      type: 'access.denied',
      reason: 'The credential was not granted this.',
    });
    return no('not-covered');
  }
  const given = await heardFrom(deps, asker, target, question);
  const unheard = question.given && !given ? { unheard: true as const } : {};
  const decision = await decide(deps, { use: { ...use, target, task }, question, now, given });
  const decided = { ...about, decision: recordOf(decision) };
  if (!isPermitted(decision, found, now)) {
    await appendIfTaken(deps.audit, { ...decided, type: 'access.denied', reason: denied(decision).message });
    return { ...no('policy', decision), ...unheard };
  }
  await appendIfTaken(deps.audit, { ...decided, type: 'access.permitted' });
  return defined({ permitted: true as const, claims: use.inspected?.claims, ...unheard });
}

interface Asked {
  seen: Seen;
  use: Use;
  question: Question;
}

/** Returns whether policy lets the one who asks ask about this target. A refusal is audited. */
async function admitAsker(
  deps: EvaluateDeps,
  asker: AuthenticatedCaller,
  { seen, use: { target }, question: { trace } }: Asked,
): Promise<boolean> {
  // What others make an API ask is not its own doing.
  const about = { type: 'operation.refused', verb: 'evaluate', charged: nobody, requestId: trace.requestId } as const;
  const asking = auditingRefusals(deps, asker, defined({ ...about, target }), async () => {
    refuseDeadCaller(deps, asker, seen);
    // What names no target belongs to none, and there is nothing to hide about it.
    if (target === undefined) return true;
    const refusal = await refusalOnTarget(deps, asker, 'evaluate', target);
    if (refusal) throw refusal;
    return true;
  });
  return asking.catch(ifDenied(false));
}

/** Returns what the one who asks says of the use, if policy lets it say anything about uses of this target. */
async function heardFrom(
  deps: EvaluateDeps,
  asker: AuthenticatedCaller | undefined,
  target: string,
  { given }: Question,
): Promise<Given | undefined> {
  if (!asker || !given) return undefined;
  // A forbid about what is left out would not apply.
  return (await mayOnTarget(deps, asker, 'assertProperties', target)) ? given() : undefined;
}

interface Deciding {
  use: Use & { target: string; task: Task };
  question: Question;
  now: number;
  given: Given | undefined;
}

async function decide(deps: EvaluateDeps, { use, question, now, given }: Deciding): Promise<Decision> {
  const { found, task, target } = use;
  const { path, action } = question;
  const { subject, session, id, approval } = found?.credential ?? {};
  const by = defined({ subject, session });
  const risk = await riskNow(deps, { task, credentials: id === undefined ? [] : [id], by });
  const party = found ? holderOf(found) : { ...task.workload, claims: {}, groups: [] };
  const lifetimeSeconds = found ? lifetimeOf(found) : deps.settings.lifetimes.credential;
  const access = [{ path, actions: [action] }];
  // One path costs a few evaluations at most. An API may ask as often as it is used.
  const asking = { policy: deps.policy, assertWithinRate: () => Promise.resolve() };
  return decideAccess(
    asking,
    defined({ party, task, target, access, lifetimeSeconds, risk, now, given, approvals: approval?.groups }),
  );
}

const lifetimeOf = ({ credential: { issuedAt, expiresAt } }: Found): number =>
  Math.max(1, Math.round((expiresAt - issuedAt) / 1000));

/** Where policy allows less time now than it did, the credential counts as long as it would have got today. */
const isPermitted = ({ outcome, lifetimeSeconds }: Decision, found: Found | undefined, now: number): boolean =>
  outcome === 'permit' && (!found || found.credential.issuedAt + lifetimeSeconds * 1000 > now);
