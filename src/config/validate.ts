/** Validates a parsed file against the schema. Each mistake is a path and one sentence that never repeats the value. */
import type { z } from 'zod';
import type { ConfigPath, Finding } from './problem.js';

type Issue = z.core.$ZodIssue;

export function schemaFindings(schema: z.ZodType, value: unknown): Finding[] {
  const result = schema.safeParse(value);
  return result.success ? [] : result.error.issues.flatMap((issue) => findings(issue, []));
}

function findings(issue: Issue, above: ConfigPath): Finding[] {
  const path = [...above, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], reason: unknownSetting(key) }));
    case 'invalid_union':
      return closest(issue.errors)?.flatMap((inner) => findings(inner, path)) ?? [{ path, reason: reasonOf(issue) }];
    default:
      return [{ path, reason: reasonOf(issue) }];
  }
}

/** Settings of older versions, and what has taken their place. */
const INSTEAD = new Map([
  ['maxTasksPerMinute', 'it is `maxPartiesPerMinute` now, and counts workloads and persons instead of tasks'],
]);

function unknownSetting(key: string): string {
  const instead = INSTEAD.get(key);
  return instead === undefined ? 'is not a known setting' : `is not a known setting: ${instead}`;
}

/** Returns the alternative of a union that was probably meant: of the right type, and then with the fewest mistakes. */
function closest(alternatives: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const weight = (issues: readonly Issue[]): number =>
    issues.length + (issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0) ? 1_000 : 0);
  return alternatives.toSorted((a, b) => weight(a) - weight(b))[0];
}

function reasonOf(issue: Issue): string {
  const text = issue.message.replace(/^Invalid input: |^Invalid \w+ value\. |^Invalid option: /, '');
  const missing = / ?,? received undefined$/.exec(text);
  return missing ? `is missing: ${text.slice(0, missing.index)}` : text;
}
