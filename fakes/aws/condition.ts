/** Conditions of a policy statement: operators and keys are joined by AND, the values of one key by OR. */
import { z } from 'zod';
import { instant, oneOrMore, plainText } from './grammar.js';
import { matchesWildcard } from './wildcard.js';

/** The condition keys of a request, under the names that AWS documents. Their case does not matter. */
export type Context = Readonly<Record<string, string | undefined>>;

const clause = <S extends z.ZodType<string>>(value: S) =>
  z.record(z.string().regex(/^[^:]+:.+$/), oneOrMore(value)).optional();

export const conditionSchema = z.strictObject({
  StringEquals: clause(plainText),
  StringNotEquals: clause(plainText),
  StringLike: clause(plainText),
  Null: clause(z.enum(['true', 'false'])),
  DateLessThan: clause(instant),
  DateLessThanEquals: clause(instant),
  DateGreaterThan: clause(instant),
  DateGreaterThanEquals: clause(instant),
});

export type Condition = z.output<typeof conditionSchema>;
type Test = (actual: string | undefined, expected: readonly string[]) => boolean;

export function matchesCondition(condition: Condition, context: Context): boolean {
  const known = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  return Object.entries(condition).every(([operator, keys]) =>
    Object.entries(keys ?? {}).every(([key, expected]) =>
      tests[operator as keyof Condition](known.get(key.toLowerCase()), expected),
    ),
  );
}

/** A missing key matches no operator but Null and the negated ones: what is missing is not equal. */
const tests: Record<keyof Condition, Test> = {
  StringEquals: (actual, expected) => actual !== undefined && expected.includes(actual),
  StringNotEquals: (actual, expected) => actual === undefined || !expected.includes(actual),
  StringLike: (actual, expected) =>
    actual !== undefined && expected.some((pattern) => matchesWildcard(pattern, actual)),
  Null: (actual, expected) => expected.includes(String(actual === undefined)),
  DateLessThan: compare((actual, limit) => actual < limit),
  DateLessThanEquals: compare((actual, limit) => actual <= limit),
  DateGreaterThan: compare((actual, limit) => actual > limit),
  DateGreaterThanEquals: compare((actual, limit) => actual >= limit),
};

function compare(holds: (actual: number, limit: number) => boolean): Test {
  return (actual, expected) =>
    actual !== undefined && expected.some((limit) => holds(Date.parse(instant.parse(actual)), Date.parse(limit)));
}
