/** Why a query is refused, as far as its caller may know: a policy with @reveal("no") is never named, nor hinted at. */
import { defined } from '../../domain/defined.js';
import type { Because, Verdict } from '../policy-engine.js';
import type { PolicyJson } from './cedar-wasm.js';
import { clausesOf } from './clauses.js';
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
  const failed = why === 'failed' ? (true as const) : undefined;
  const elsewhere = why === 'no-permit' ? underOtherPurpose() : [];
  return defined({ ...settled, secret, failed, because: because(why, told, elsewhere) });
}

function because(why: Because['why'], told: string[], elsewhere: readonly string[]): Because {
  if (elsewhere.length > 0) return { why: 'other-purpose', policies: [...elsewhere].sort() };
  // What is secret reads like what does not exist.
  return told.length > 0 ? { why, policies: told } : { why: 'no-permit', policies: [] };
}

/** Returns the permit without its conditions about the purpose; undefined where it has none. */
export function forAnyPurpose(permit: PolicyJson): PolicyJson | undefined {
  const clauses = clausesOf(permit);
  const kept = clauses.filter(({ body }) => !readsPurpose(body));
  return kept.length < clauses.length ? { ...permit, conditions: kept } : undefined;
}

/** Both the context of an access and a task have an attribute of that name. */
const readsPurpose = (node: unknown): boolean =>
  typeof node === 'object' &&
  node !== null &&
  (('attr' in node && node.attr === 'purpose') || Object.values(node).some(readsPurpose));
