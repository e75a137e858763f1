/**
 * A policy set in parts, of which Cedar is asked only those that could apply: its work grows with the number of policies in a set, also
 * of those about somebody else. Parts are by what the scope names, the principal and the actions. What a scope excludes is never
 * evaluated, so it neither decides nor fails; and a set decides as its parts together: any forbid outweighs every permit, and what
 * cannot be evaluated fails in whichever part it is.
 */
import {
  preparsePolicySet,
  statefulIsAuthorized,
  type Context,
  type EntityJson,
  type PolicyJson,
  type TypeAndId,
} from './cedar-wasm.js';
import { plain } from './entities.js';
import type { Answer } from './ways-out.js';

/** The parts that Cedar knows by the name of an engine. The library never frees a name, so each is used again. */
export interface Sets {
  names: readonly string[];
  ask: (call: Call) => Answer;
}

interface Call {
  principal: TypeAndId;
  action: TypeAndId;
  resource: TypeAndId;
  context: Context;
  entities: EntityJson[];
}

export interface NamedPolicy {
  id: string;
  json: PolicyJson;
  /** What Cedar parses; default: the JSON. */
  text?: string;
}

/** Up to so many are one set: to ask it costs less than to ask two. */
const TOGETHER = 50;

export function setsOf(name: string, policies: readonly NamedPolicy[], together = TOGETHER): Sets {
  const parts = policies.length > together ? partsOf(policies) : [{ policies: [...policies] }];
  const named = parts.map((part, index) => ({ ...part, name: `${name} part ${index + 1}` }));
  for (const one of named) preparse(one.name, one.policies);
  return {
    names: named.map((one) => one.name),
    ask: (call) => joined(named.filter(partFor(call)).map((one) => askOne(one.name, call))),
  };
}

/** Takes the memory of sets that are named no more. */
export function forget({ names }: Sets, { names: kept }: Sets): void {
  for (const name of names) if (!kept.includes(name)) preparse(name, []);
}

interface Part {
  /** Absent: for whatever principal. */
  principal?: string;
  /** Absent: for all actions. */
  actions?: string[];
  policies: NamedPolicy[];
}

function partsOf(policies: readonly NamedPolicy[]): Part[] {
  const parts = new Map<string, Part>();
  for (const policy of policies) {
    const scope = scopeOf(policy.json);
    const key = JSON.stringify([scope.principal, scope.actions]);
    const part = parts.get(key) ?? { ...scope, policies: [] };
    part.policies.push(policy);
    parts.set(key, part);
  }
  return [...parts.values()];
}

/** Only what surely excludes counts: a scope that is not understood is for whoever asks. */
function scopeOf({ principal, action }: PolicyJson): Omit<Part, 'policies'> {
  const within = principal.op === 'is' ? principal.in : principal;
  const actions = 'entities' in action ? action.entities : 'entity' in action ? [action.entity] : undefined;
  return {
    ...(within && 'entity' in within && { principal: nameOf(plain(within.entity)) }),
    ...(actions && { actions: actions.map((one) => nameOf(plain(one))) }),
  };
}

const nameOf = ({ type, id }: TypeAndId): string => `${type}::${id}`;

/** Returns whether a part could apply: Cedar's `in` holds for an entity itself, its parents, and what is above them. */
function partFor({ principal, action, entities }: Call): (part: Part) => boolean {
  const above = new Map(
    entities.map(({ uid, parents }) => [nameOf(plain(uid)), parents.map((one) => nameOf(plain(one)))]),
  );
  const reach = (name: string, reached: Set<string>): Set<string> => {
    if (reached.has(name)) return reached;
    reached.add(name);
    for (const parent of above.get(name) ?? []) reach(parent, reached);
    return reached;
  };
  const principals = reach(nameOf(principal), new Set());
  const line = reach(nameOf(action), new Set());
  return (part) =>
    (part.principal === undefined || principals.has(part.principal)) &&
    (part.actions?.some((one) => line.has(one)) ?? true);
}

function preparse(name: string, policies: readonly NamedPolicy[]): void {
  const staticPolicies = Object.fromEntries(policies.map(({ id, json, text }) => [id, text ?? json]));
  if (preparsePolicySet(name, { staticPolicies }).type === 'failure')
    throw new Error('Cedar refuses policies it has validated');
}

function askOne(name: string, call: Call): Answer {
  const answer = statefulIsAuthorized({ ...call, preparsedPolicySetId: name, validateRequest: false });
  if (answer.type === 'failure') return { allowed: false, failed: true, policies: [] };
  const { reason, errors } = answer.response.diagnostics;
  // Cedar skips a policy whose evaluation fails. It may have been a forbid, so the answer counts as failed.
  if (errors.length > 0) return { allowed: false, failed: true, policies: errors.map(({ policyId }) => policyId) };
  return { allowed: answer.response.decision === 'allow', failed: false, policies: reason };
}

function joined(answers: readonly Answer[]): Answer {
  const failed = answers.filter((one) => one.failed);
  const forbids = answers.filter((one) => !one.allowed && one.policies.length > 0);
  const permits = answers.filter((one) => one.allowed);
  const deciding = [failed, forbids, permits].find((some) => some.length > 0) ?? [];
  return {
    allowed: deciding === permits && permits.length > 0,
    failed: failed.length > 0,
    policies: deciding.flatMap(({ policies }) => policies),
  };
}
