/**
 * Why policies answer as they do. Each policy is taken apart: the three heads of its scope, then its conditions one by one, in the
 * order in which Cedar looks at them. Cedar itself is asked whether each part holds, so an explanation cannot differ from the answer.
 */
import type { PolicyQuery } from '../query.js';
import { isAuthorized, policyToText, type Clause, type Context, type PolicyJson } from './cedar-wasm.js';
import { clausesOf } from './clauses.js';
import { termsOf } from './context.js';
import { partyUid } from './entities.js';
import type { Configured } from './fit.js';
import type { PolicySet } from './load-policies.js';
import { plannableOf } from './plannable.js';
import { planner, type Plan } from './plan.js';
import type { Policy, Rule } from './policy-file.js';
import { aboutScope, factsIn, type Told } from './told.js';

/** A head of the scope, or one condition. */
export interface Part {
  of: 'scope' | 'condition';
  /** As Cedar writes it. */
  text: string;
  /** `unread`: Cedar does not get as far, because a part before does not hold. */
  is: 'true' | 'false' | 'failing' | 'unread';
  /** The facts that it looks at, as they were. */
  facts: string[];
}

export interface PolicyExplained extends Pick<Policy, 'id' | 'file' | 'line'> {
  rule: Rule;
  /** `fails`: it cannot be evaluated, which refuses the query. */
  outcome: 'applies' | 'does-not-apply' | 'fails';
  /** Without heads that exclude nothing. */
  parts: Part[];
  /** How many parts do not hold, as far as Cedar reads them. */
  missing: number;
  /** Of a pattern: to how many of its parts the policy applies. */
  within?: { applies: number; of: number };
}

type Judged = Pick<PolicyExplained, 'outcome' | 'parts' | 'missing'>;

/** Undefined: the query is refused whatever the policies say, because the schema does not describe it. */
export function explainPolicies(
  set: PolicySet,
  configured: Configured,
  query: PolicyQuery,
): PolicyExplained[] | undefined {
  const plan = planner(plannableOf(set, configured, false), 0)(query);
  if (typeof plan === 'string') return undefined;
  const context = plan.contextUnder(termsOf(query));
  const asked = set.policies.map(partsOfPolicy);
  const answers = plan.subjects.map((subject) => answersTo(asked, toldOf(query, plan, subject, context)));
  return set.policies.map((policy, index) =>
    overall(
      policy,
      answers.flatMap((answer) => answer[index] ?? []),
    ),
  );
}

function toldOf(
  query: PolicyQuery,
  { around }: Plan,
  { uid, entities }: Plan['subjects'][number],
  context: Context,
): Told {
  return {
    principal: partyUid(query.principal),
    action: { type: 'Action', id: query.action },
    resource: uid,
    context,
    entities: [...around, ...entities],
    path: query.resource.type === 'resource' ? query.resource.path : undefined,
  };
}

/** A part of a policy, as a permit that has nothing but it: it applies where the part holds. */
interface Asked {
  of: Part['of'];
  text: string;
  permit: PolicyJson;
  facts: (told: Told) => string[];
}

const EVERYTHING: PolicyJson = {
  effect: 'permit',
  principal: { op: 'All' },
  action: { op: 'All' },
  resource: { op: 'All' },
  conditions: [],
};

function partsOfPolicy({ json }: Policy): Asked[] {
  const heads = (['principal', 'action', 'resource'] as const).flatMap((head): Asked[] => {
    if (json[head].op === 'All') return [];
    const permit = { ...EVERYTHING, [head]: json[head] };
    return [{ of: 'scope', text: headIn(permit, head), permit, facts: (told) => [aboutScope(head, told)] }];
  });
  const clauses = clausesOf(json).map((clause): Asked => {
    const permit = { ...EVERYTHING, conditions: [clause] };
    return { of: 'condition', text: textOf(clause), permit, facts: (told) => factsIn(clause.body, told) };
  });
  return [...heads, ...clauses];
}

function written(permit: PolicyJson): string {
  const answer = policyToText(permit);
  return answer.type === 'success' ? answer.text : '';
}

const headIn = (permit: PolicyJson, head: 'principal' | 'action' | 'resource'): string => {
  const others = { principal: '', action: 'principal, ', resource: 'principal, action, ' };
  const behind = { principal: ', action, resource);', action: ', resource);', resource: ');' };
  return written(permit).slice(`permit(${others[head]}`.length, -behind[head].length);
};

function textOf(clause: Clause): string {
  const text = written({ ...EVERYTHING, conditions: [{ ...clause, kind: 'when' }] });
  const body = text.slice(text.indexOf('{ ') + 2, text.lastIndexOf(' }'));
  return clause.kind === 'when' ? unwrapped(body) : `unless ${unwrapped(body)}`;
}

/** Cedar writes brackets around what is one operand. */
function unwrapped(text: string): string {
  const inner = /^\((.*)\)$/s.exec(text)?.[1];
  return inner === undefined || /[()"]/.test(inner) ? text : inner;
}

/** Asks Cedar once about all parts of all policies: they are permits, so those that hold are its reasons. */
function answersTo(policies: readonly Asked[][], told: Told): Judged[] {
  const { principal, action, resource, context, entities } = told;
  const staticPolicies = Object.fromEntries(
    policies.flatMap((parts, policy) => parts.map(({ permit }, part) => [nameOf(policy, part), permit])),
  );
  const answer = isAuthorized({
    principal,
    action,
    resource,
    context,
    entities,
    policies: { staticPolicies },
    validateRequest: false,
  });
  if (answer.type === 'failure')
    throw new Error('The policies cannot be taken apart: a whole number above 2^53 in them is not kept');
  const { reason, errors } = answer.response.diagnostics;
  const [holding, failing] = [new Set(reason), new Set(errors.map(({ policyId }) => policyId))];
  return policies.map((parts, policy) =>
    judged(
      parts.map(({ of, text, facts }, part): Part => {
        const name = nameOf(policy, part);
        const is = failing.has(name) ? 'failing' : holding.has(name) ? 'true' : 'false';
        return { of, text, is, facts: facts(told) };
      }),
    ),
  );
}

const nameOf = (policy: number, part: number): string => `${policy} ${part}`;

/** What cannot be evaluated behind a part that does not hold is a guard at work, and no failure. */
function judged(all: Part[]): Judged {
  const first = all.find(({ is }) => is !== 'true');
  const parts = all.map((part) =>
    part.is === 'failing' && part !== first ? { ...part, is: 'unread' as const } : part,
  );
  const missing = parts.filter(({ is }) => is === 'false' || is === 'failing').length;
  const outcome = first === undefined ? 'applies' : first.is === 'failing' ? 'fails' : 'does-not-apply';
  return { outcome, parts, missing };
}

/**
 * Returns what is said of the policy where the query is about several parts of a pattern. All of them have to be permitted, so of a
 * permit the part is shown that it leaves out; one of them is enough for a forbid.
 */
function overall({ id, file, line, rule }: Policy, answers: readonly Judged[]): PolicyExplained {
  const applying = answers.filter(({ outcome }) => outcome === 'applies');
  const failing = answers.find(({ outcome }) => outcome === 'fails');
  const others = answers.filter((one) => !applying.includes(one));
  const [nearest] = [...others].sort((a, b) => a.missing - b.missing);
  const shown = failing ?? (rule.effect === 'forbid' ? (applying[0] ?? nearest) : (nearest ?? applying[0]));
  const { outcome, parts, missing } = shown ?? { outcome: 'does-not-apply', parts: [], missing: 0 };
  const within = answers.length > 1 ? { applies: applying.length, of: answers.length } : undefined;
  return { id, file, line, rule, outcome, parts, missing, ...(within && { within }) };
}
