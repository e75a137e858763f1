/** The conditions of a policy, one by one. */
import type { Clause, PolicyJson } from './cedar-wasm.js';

/**
 * Returns the conditions with those of several taken apart: `when { a && b }` means the same as `when { a } when { b }`, and
 * `unless { a || b }` the same as two of it. Their order is that in which Cedar looks at them.
 */
export const clausesOf = ({ conditions }: PolicyJson): Clause[] =>
  conditions.flatMap(({ kind, body }) =>
    partsOf(body, kind === 'when' ? '&&' : '||').map((part): Clause => ({ kind, body: part })),
  );

type Expression = Clause['body'];

const partsOf = (body: Expression, joint: '&&' | '||'): Expression[] => {
  const joined = (body as Partial<Record<string, { left: Expression; right: Expression }>>)[joint];
  return joined ? [...partsOf(joined.left, joint), ...partsOf(joined.right, joint)] : [body];
};
