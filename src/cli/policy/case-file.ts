/** Reads a file of cases for `mayfly policy test`. Every mistake has its line; a file with one is not run. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { readDocument } from '../../config/document.js';
import { loadConfig } from '../../config/load.js';
import { cedarDirectory } from '../../config/policy-schema.js';
import { pathText, problemText, type ConfigPath, type Finding } from '../../config/problem.js';
import { schemaFindings } from '../../config/validate.js';
import { defined } from '../../domain/defined.js';
import { isObject } from '../../domain/json-object.js';
import { didYouMean, nearNames } from '../../domain/near-names.js';
import type { Party } from '../../domain/party.js';
import { POLICY_OUTCOMES } from '../../domain/policy-outcome.js';
import { createCedarEngine } from '../../policy/cedar/cedar.js';
import { loadPolicies, type PolicySet } from '../../policy/cedar/load-policies.js';
import { problemText as policyProblemText } from '../../policy/cedar/problem.js';
import {
  describedParty,
  partySchema,
  readQuery,
  writtenQuerySchema,
  type Reading,
} from '../../policy/cedar/written-query.js';
import type { PolicyEngine } from '../../policy/policy-engine.js';
import type { PolicyQuery } from '../../policy/query.js';

const text = z.string().min(1);
const outcome = z.enum(POLICY_OUTCOMES);
const expectationSchema = z.strictObject({
  outcome,
  lifetimeSeconds: z.int().positive().optional(),
  approvals: z.array(text).optional(),
  policies: z.array(text).optional(),
});

/** Paths in it start from the file. */
const fileSchema = z.strictObject({
  config: text.optional(),
  policies: text.optional(),
  parties: z.record(text, partySchema).default({}),
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

type CaseFile = z.infer<typeof fileSchema>;

/** What is not in it may be anything. */
export type Expectation = z.infer<typeof expectationSchema>;

export interface Case {
  name: string;
  line: number;
  query: PolicyQuery;
  expect: Expectation;
}

/** What the command line says; it outweighs what the file says. */
export interface Where {
  config?: string;
  policies?: string;
}

/** Throws an Error with every mistake of the file, of its configuration, or of its policies. */
export async function readCases(file: string, where: Where): Promise<{ cases: Case[]; engine: PolicyEngine }> {
  const source = await readFile(file, 'utf8').catch(() => {
    throw new Error(`${file}: is not a file that can be read`);
  });
  const document = readDocument(source);
  const { value } = document;
  if (document.problems.length > 0) throw mistakes(file, document.problems);
  const placed = ({ path, reason }: Finding) => ({ line: document.lineOf(path), path: pathText(path), reason });
  const misshapen = isObject(value) ? schemaFindings(fileSchema, value) : [{ path: [], reason: SHAPE }];
  if (misshapen.length > 0) throw mistakes(file, misshapen.map(placed));
  const written = fileSchema.parse(value);
  const beside = (path: string | undefined) => path && resolve(dirname(file), path);
  const { config: configured } = await loadConfig(
    defined({ path: where.config ?? beside(written.config), checkFiles: false }),
  );
  const directory = cedarDirectory(configured, where.policies ?? beside(written.policies));
  const { set, problems } = await loadPolicies(directory, configured);
  if (!set) throw new Error(problems.map(policyProblemText).join('\n'));
  const findings: Finding[] = [];
  const note = (path: ConfigPath, reason: string | undefined) => {
    if (reason !== undefined) findings.push({ path, reason });
  };
  const known = withParties({ schema: set.schema, configured, parties: new Map(), note }, written);
  const cases = written.cases.map((one, index) => caseOf({ known, set }, one, ['cases', index]));
  if (findings.length > 0) throw mistakes(file, findings.map(placed));
  return {
    cases: cases.map((one, index) => ({ ...one, line: document.lineOf(['cases', index]) })),
    engine: await createCedarEngine({ directory, configured, maxCachedVerdicts: 0 }),
  };
}

const SHAPE = 'holds no cases: it is written as in docs/policy.md';

const mistakes = (source: string, problems: readonly { line: number; path?: string; reason: string }[]): Error =>
  new Error(problems.map((problem) => problemText({ source, path: '', ...problem })).join('\n'));

function withParties(known: Reading, { parties }: CaseFile): Reading {
  const described = Object.entries(parties).map(([name, party]): [string, Party] => [
    name,
    describedParty(known, party, ['parties', name]),
  ]);
  return { ...known, parties: new Map(described) };
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
