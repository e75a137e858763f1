/** What a broker has noticed, for tests of the rules. */
import type { Rule, RuleResult, Tally } from '../../src/detectors/rule.js';

export const noted = (over: Partial<Tally> = {}): Tally => ({
  key: 'key',
  event: 'denial-burst',
  charge: { kind: 'party', of: { kind: 'workload', id: 'lab:agent', issuer: 'lab' } },
  count: 1,
  at: 0,
  restarted: false,
  places: new Set(),
  ...over,
});

/** Applies the rule to tallies one after the other, as the store would: when each happened, or at `toldAt`. */
export function judged(rule: Rule, all: readonly (Partial<Tally> & { at: number; toldAt?: number })[]): RuleResult[] {
  const judgements: RuleResult[] = [];
  for (const { toldAt, ...one } of all) {
    const before = judgements.at(-1);
    const now = toldAt ?? one.at;
    const stored = before && before.until > now ? before.keep : undefined;
    judgements.push(rule(stored, noted(one), now));
  }
  return judgements;
}

/** Returns which of the events were findings. */
export const found = (judgements: readonly RuleResult[]): boolean[] => judgements.map(({ finding }) => !!finding);
