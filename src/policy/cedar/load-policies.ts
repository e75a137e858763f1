/** Reads a policy directory. If anything in it is wrong, nothing is used and every problem is reported. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../domain/digest.js';
import type { PolicyProblem } from '../policy-engine.js';
import { validate } from './cedar-wasm.js';
import { misfits, type Configured, type PolicyTarget } from './fit.js';
import { parsePolicyFile, type Policy } from './policy-file.js';
import { problemsOf } from './problem.js';
import { readSchema, SHIPPED_SCHEMA, type PolicySchema } from './schema.js';

export interface PolicySet {
  policies: Policy[];
  schema: PolicySchema;
  /** SHA-256 (base64url) over everything that can change a verdict: policies, schema, and the facts about targets. */
  digest: string;
}

interface LoadResult {
  set?: PolicySet;
  /** The policies that could be read, also when others could not. */
  policies: Policy[];
  problems: PolicyProblem[];
  /** Policies that wait for a target with labels or tags: until then they never apply. */
  notes: PolicyProblem[];
}

/** What macOS puts beside a file that it copies, and what editors put beside one that is being edited. */
const IGNORED = /^\.[_#]/;

const SCHEMA_FILE = 'schema.cedarschema';

export async function loadPolicies(directory: string, configured: Configured): Promise<LoadResult> {
  const files = await readPolicyFiles(directory);
  if (files.problem) return { policies: [], problems: [files.problem], notes: [] };
  const parsed = files.sources.map(([file, text]) => parsePolicyFile(file, text));
  const policies = parsed.flatMap((one) => one.policies).sort((a, b) => (a.id < b.id ? -1 : 1));
  const { schema, problems: schemaProblems } = readSchema(files.schemaFile, files.schemaText);
  const misfitting = policies.flatMap((policy) => misfits(policy, configured));
  const notes = misfitting.filter(({ waits }) => waits);
  const problems = [
    ...schemaProblems,
    ...parsed.flatMap((one) => one.problems),
    ...repeatedIds(policies),
    ...misfitting.filter(({ waits }) => !waits),
    ...(schema ? validationProblems(policies, schema) : []),
  ].sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
  if (!schema || problems.length > 0) return { policies, problems, notes };
  return {
    set: { policies, schema, digest: digestOf(policies, schema, configured.targets) },
    policies,
    problems,
    notes,
  };
}

/** SHA-256 (base64url) of the files that a load would read, or of the reason why they cannot be read. */
export const policyFilesDigest = async (directory: string): Promise<string> =>
  sha256(JSON.stringify(await readPolicyFiles(directory)));

interface PolicyFiles {
  sources: [file: string, text: string][];
  schemaFile: string;
  schemaText: string;
  problem?: PolicyProblem;
}

async function readPolicyFiles(directory: string): Promise<PolicyFiles> {
  const files: PolicyFiles = { sources: [], schemaFile: 'shipped schema', schemaText: SHIPPED_SCHEMA };
  try {
    const names = (await readdir(directory)).filter((name) => !IGNORED.test(name)).sort();
    const miscased = names.find((name) => !name.endsWith('.cedar') && name.toLowerCase().endsWith('.cedar'));
    if (miscased !== undefined)
      return { ...files, problem: { file: join(directory, miscased), line: 1, reason: 'must end in .cedar' } };
    for (const name of names.filter((one) => one.endsWith('.cedar'))) {
      const file = join(directory, name);
      files.sources.push([file, await readFile(file, 'utf8')]);
    }
    if (names.includes(SCHEMA_FILE)) {
      files.schemaFile = join(directory, SCHEMA_FILE);
      files.schemaText = await readFile(files.schemaFile, 'utf8');
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'cannot be read';
    return { ...files, problem: { file: directory, line: 1, reason } };
  }
  // An empty directory grants nothing to anybody. A wrong path is more likely than the wish for that.
  if (files.sources.length === 0)
    return { ...files, problem: { file: directory, line: 1, reason: 'holds no *.cedar file' } };
  return files;
}

function repeatedIds(policies: readonly Policy[]): PolicyProblem[] {
  const first = new Map<string, Policy>();
  const problems: PolicyProblem[] = [];
  for (const policy of policies) {
    const other = first.get(policy.id);
    if (!other) first.set(policy.id, policy);
    else problems.push(problemAt(policy, `@id("${policy.id}") is also at ${other.file}:${other.line}`));
  }
  return problems;
}

/**
 * Returns the problems that Cedar's validator finds. Warnings count too: a policy that can never apply, or that contains
 * confusable characters, is a mistake.
 */
function validationProblems(policies: readonly Policy[], schema: PolicySchema): PolicyProblem[] {
  const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]));
  const answer = validate({
    schema: schema.text,
    policies: { staticPolicies },
    validationSettings: { mode: 'strict' },
  });
  if (answer.type === 'failure') return problemsOf(answer.errors, 'policies', '');
  const seen = new Set<string>();
  return [...answer.validationErrors, ...answer.validationWarnings].flatMap(({ policyId, error }) => {
    const policy = policies.find(({ id }) => id === policyId);
    if (error.severity === 'warning' && seen.has(policyId)) return [];
    seen.add(policyId);
    return policy ? problemsOf([error], policy.file, policy.text, policy.line) : [];
  });
}

const problemAt = ({ file, line }: Policy, reason: string): PolicyProblem => ({ file, line, reason });

function digestOf(policies: readonly Policy[], schema: PolicySchema, targets: readonly PolicyTarget[]): string {
  const facts = targets
    .map(({ resource, labels, tags }) =>
      JSON.stringify([resource, labels.map(labelFacts), Object.entries(tags).sort()]),
    )
    .sort();
  const all = [policies.map(({ id, text }) => [id, text]), schema.text, facts];
  return sha256(JSON.stringify(all));
}

const labelFacts = ({ match, sensitivity }: PolicyTarget['labels'][number]) => [match, sensitivity];
