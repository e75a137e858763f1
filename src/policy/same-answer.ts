/** What of an answer of policy a caller would notice: not which policies gave it. */
import type { Verdict } from './policy-engine.js';

type Answer = Pick<Verdict, 'outcome' | 'lifetimeSeconds' | 'needs'>;

/** Returns a text that is the same for the same answer. */
export const answerText = ({ outcome, lifetimeSeconds, needs = [] }: Answer): string =>
  JSON.stringify([
    outcome,
    outcome === 'deny' ? undefined : lifetimeSeconds,
    needs.map(({ group, approvers, reuse }) => [group, approvers, reuse]),
  ]);

export const isSameAnswer = (one: Answer, other: Answer): boolean => answerText(one) === answerText(other);
