/** Validates a parsed file against the schema. Each mistake is a path and one sentence that never repeats the value. */
import type { z } from 'zod';
import { didYouMean } from '../domain/near-names.js';
import type { ConfigPath, Finding } from './problem.js';
import { generalPath, meantBy, settingNames } from './setting-names.js';

type Issue = z.core.$ZodIssue;

export function schemaFindings(schema: z.ZodType, value: unknown): Finding[] {
  if (value === null) return [{ path: [], reason: EMPTY }];
  const result = schema.safeParse(value);
  if (result.success) return [];
  const isUnknown = ({ unknown }: Mistake): boolean => unknown === true;
  const mistakes = result.error.issues.flatMap((issue) => findings(issue, []));
  const names = mistakes.some(isUnknown) ? settingNames(schema) : [];
  return mistakes.map((mistake) =>
    isUnknown(mistake) ? { path: mistake.path, reason: unknownSetting(mistake.path, names) } : mistake,
  );
}

const EMPTY = 'is empty: name at least issuer, trust, targets and policy, as config/example.yaml does';

/** A finding; `unknown`: that the schema has no setting of the name, and nothing has said yet which may be meant. */
type Mistake = Finding & { unknown?: true };

function findings(issue: Issue, above: ConfigPath): Mistake[] {
  const path = [...above, ...issue.path];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], reason: '', unknown: true }));
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

function unknownSetting(path: ConfigPath, names: readonly string[]): string {
  const instead = INSTEAD.get(String(path.at(-1)));
  if (instead !== undefined) return `is not a known setting: ${instead}`;
  if (names.includes(generalPath(path))) return 'is a setting of another form than the one that is written here';
  return `is not a known setting.${didYouMean(meantBy(path, names))}`.replace(/\.$/, '');
}

/** Returns the alternative of a union that was probably meant: of the right type, and then with the fewest mistakes. */
function closest(alternatives: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const weight = (issues: readonly Issue[]): number =>
    issues.length + (issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0) ? 1_000 : 0);
  return alternatives.toSorted((a, b) => weight(a) - weight(b))[0];
}

function reasonOf(issue: Issue): string {
  const text = issue.message.replace(/^Invalid input: |^Invalid \w+ value\. |^Invalid option: /, '');
  if (/^expected (int|number), received string$/.test(text))
    return 'must be a number, without quotes and without a unit';
  const missing = / ?,? received undefined$/.exec(text);
  return missing ? `is missing: ${text.slice(0, missing.index)}` : text;
}
