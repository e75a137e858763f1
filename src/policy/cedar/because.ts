/** Why a query is refused, as far as its caller may know: a policy with @reveal("no") is never named, nor hinted at. */
import { defined } from '../../domain/defined.js';
import type { Because, Verdict } from '../policy-engine.js';
import type { Clause, PolicyJson } from './cedar-wasm.js';
import type { Rule } from './policy-file.js';
import type { Settled } from './ways-out.js';

interface Known {
  rules: ReadonlyMap<string, Rule>;
  /** Returns the ids of the permits that would apply to the same query for another purpose. */
  underOtherPurpose: () => readonly string[];
}

/** Returns the verdict with what the caller may know of it. */
export function explained({ why, ...settled }: Settled, { rules, underOtherPurpose }: Known): Omit<Verdict, 'digest'> {
  const isTold = (id: string) => rules.get(id)?.secret !== true;
  const told = settled.policies.filter(isTold);
  const secret = told.length < settled.policies.length || undefined;
  if (why === undefined) return defined({ ...settled, secret });
  return defined({ ...settled, secret, because: because(why, told, why === 'no-permit' ? underOtherPurpose() : []) });
}

function because(why: Because['why'], told: string[], elsewhere: readonly string[]): Because {
  if (elsewhere.length > 0) return { why: 'other-purpose', policies: [...elsewhere].sort() };
  // What is secret reads like what does not exist.
  return told.length > 0 ? { why, policies: told } : { why: 'no-permit', policies: [] };
}

/**
 * Returns the permit without its conditions about the purpose; undefined where it has none. A condition of several is taken
 * apart: `when { a && b }` means the same as `when { a } when { b }`, and `unless { a || b }` the same as two of it.
 */
export function forAnyPurpose(permit: PolicyJson): PolicyJson | undefined {
  const clauses = permit.conditions.flatMap(({ kind, body }) =>
    partsOf(body, kind === 'when' ? '&&' : '||').map((part): Clause => ({ kind, body: part })),
  );
  const kept = clauses.filter(({ body }) => !readsPurpose(body));
  return kept.length < clauses.length ? { ...permit, conditions: kept } : undefined;
}

type Expression = Clause['body'];

const partsOf = (body: Expression, joint: '&&' | '||'): Expression[] => {
  const joined = (body as Partial<Record<string, { left: Expression; right: Expression }>>)[joint];
  return joined ? [...partsOf(joined.left, joint), ...partsOf(joined.right, joint)] : [body];
};

/** Both the context of an access and a task have an attribute of that name. */
const readsPurpose = (node: unknown): boolean =>
  typeof node === 'object' &&
  node !== null &&
  (('attr' in node && node.attr === 'purpose') || Object.values(node).some(readsPurpose));
