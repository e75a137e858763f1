/** Reads a YAML file with queries to policy, against the policies and the configuration that it is about. Every mistake has its line. */
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
import type { Party } from '../../domain/party.js';
import type { Configured } from '../../policy/cedar/fit.js';
import { loadPolicies, type PolicySet } from '../../policy/cedar/load-policies.js';
import { problemText as policyProblemText } from '../../policy/cedar/problem.js';
import { describedParty } from '../../policy/cedar/written-party.js';
import { partySchema, type Reading } from '../../policy/cedar/written-schema.js';

/** Policies, and the configuration that they are held against. */
export interface Policies {
  directory: string;
  configured: Configured;
  set: PolicySet;
}

/** What the command line says; it outweighs what a file says. */
export interface Where {
  config?: string;
  policies?: string;
}

const text = z.string().min(1);

/** What such a file has besides its queries. Paths in it start from the file. */
export const aroundQueries = {
  config: text.optional(),
  policies: text.optional(),
  parties: z.record(text, partySchema).default({}),
};

type Around = z.infer<z.ZodObject<typeof aroundQueries>>;

interface Written<T> extends Policies {
  written: T;
  /** What queries are read against. A mistake that is noted there is thrown by `assertSound`. */
  known: Reading;
  assertSound: () => void;
  lineOf: (path: ConfigPath) => number;
}

/** Throws an Error with every mistake of the file, of its configuration, or of its policies. */
export async function readWritten<T extends Around>(
  file: string,
  where: Where,
  { schema, shape }: { schema: z.ZodType<T>; shape: string },
): Promise<Written<T>> {
  const source = await readFile(file, 'utf8').catch(() => {
    throw new Error(`${file}: is not a file that can be read`);
  });
  const document = readDocument(source);
  const { value } = document;
  if (document.problems.length > 0) throw mistakes(file, document.problems);
  const placed = ({ path, reason }: Finding) => ({ line: document.lineOf(path), path: pathText(path), reason });
  const misshapen = isObject(value) ? schemaFindings(schema, value) : [{ path: [], reason: shape }];
  if (misshapen.length > 0) throw mistakes(file, misshapen.map(placed));
  const written = schema.parse(value);
  const beside = (path: string | undefined) => path && resolve(dirname(file), path);
  const policies = await policiesAt(
    defined({
      config: where.config ?? beside(written.config),
      policies: where.policies ?? beside(written.policies),
    }),
  );
  const findings: Finding[] = [];
  const note = (path: ConfigPath, reason: string | undefined) => {
    if (reason !== undefined) findings.push({ path, reason });
  };
  const { set, configured } = policies;
  return {
    ...policies,
    written,
    known: withParties({ schema: set.schema, configured, parties: new Map(), note }, written),
    assertSound() {
      if (findings.length > 0) throw mistakes(file, findings.map(placed));
    },
    lineOf: (path) => document.lineOf(path),
  };
}

/** Throws an Error with every mistake of the configuration, or of the policies. */
export async function policiesAt(where: Where): Promise<Policies> {
  const { config: configured } = await loadConfig(defined({ path: where.config, checkFiles: false }));
  const directory = cedarDirectory(configured, where.policies);
  const { set, problems } = await loadPolicies(directory, configured);
  if (!set) throw new Error(problems.map(policyProblemText).join('\n'));
  return { directory, configured, set };
}

const mistakes = (source: string, problems: readonly { line: number; path?: string; reason: string }[]): Error =>
  new Error(problems.map((problem) => problemText({ source, path: '', ...problem })).join('\n'));

function withParties(known: Reading, { parties }: Around): Reading {
  const described = Object.entries(parties).map(([name, party]): [string, Party] => [
    name,
    describedParty(known, party, ['parties', name]),
  ]);
  return { ...known, parties: new Map(described) };
}
