/** Reads a file of cases for `mayfly policy test`. A file with a mistake is not run. */
import { z } from 'zod';
import type { ConfigPath } from '../../config/problem.js';
import { didYouMean, nearNames } from '../../domain/near-names.js';
import { POLICY_OUTCOMES } from '../../domain/policy-outcome.js';
import { createCedarEngine } from '../../policy/cedar/cedar.js';
import type { PolicySet } from '../../policy/cedar/load-policies.js';
import { readQuery } from '../../policy/cedar/written-query.js';
import { writtenQuerySchema, type Reading } from '../../policy/cedar/written-schema.js';
import type { PolicyEngine } from '../../policy/policy-engine.js';
import type { PolicyQuery } from '../../policy/query.js';
import { aroundQueries, readWritten, type Where } from './written-file.js';

const text = z.string().min(1);
const outcome = z.enum(POLICY_OUTCOMES);
const expectationSchema = z.strictObject({
  outcome,
  lifetimeSeconds: z.int().positive().optional(),
  approvals: z.array(text).optional(),
  policies: z.array(text).optional(),
});

const schema = z.strictObject({
  ...aroundQueries,
  cases: z
    .array(
      z.strictObject({
        name: text,
        ...writtenQuerySchema.shape,
        expect: z.union([outcome, expectationSchema]),
      }),
    )
    .min(1),
});

type CaseFile = z.infer<typeof schema>;

/** What is not in it may be anything. */
export type Expectation = z.infer<typeof expectationSchema>;

export interface Case {
  name: string;
  line: number;
  query: PolicyQuery;
  expect: Expectation;
}

const shape = 'holds no cases: it is written as in docs/policy.md';

/** Throws an Error with every mistake of the file, of its configuration, or of its policies. */
export async function readCases(file: string, where: Where): Promise<{ cases: Case[]; engine: PolicyEngine }> {
  const { written, known, set, assertSound, lineOf, ...policies } = await readWritten(file, where, { schema, shape });
  const cases = written.cases.map((one, index) => caseOf({ known, set }, one, ['cases', index]));
  assertSound();
  return {
    cases: cases.map((one, index) => ({ ...one, line: lineOf(['cases', index]) })),
    engine: await createCedarEngine({ ...policies, maxCachedVerdicts: 0 }),
  };
}

function caseOf(
  { known, set }: { known: Reading; set: PolicySet },
  { name, expect, ...written }: CaseFile['cases'][number],
  at: ConfigPath,
): Omit<Case, 'line'> {
  const expected = typeof expect === 'string' ? { outcome: expect } : expect;
  const ids = set.policies.map(({ id }) => id);
  for (const [index, id] of (expected.policies ?? []).entries()) {
    if (ids.includes(id)) continue;
    known.note([...at, 'expect', 'policies', index], `is the @id of no policy.${didYouMean(nearNames(id, ids))}`);
  }
  return { name, query: readQuery(known, written, at), expect: expected };
}
