/** The titles of a test file, read from its source. */
import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** Each title with those of the blocks around it, outermost first. Titles that only a row of a table completes (`%s`) are not among them. */
export function testTitles(file: string): string[][] {
  const found: string[][] = [];
  const visit = (node: ts.Node, around: string[]): void => {
    const title = titleOf(node);
    const here = title === undefined ? around : [...around, title];
    if (title !== undefined) found.push(here);
    ts.forEachChild(node, (child) => visit(child, here));
  };
  visit(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest), []);
  return found
    .filter(([outermost = '%s']) => !isCompletedByRow(outermost))
    .map((path) => path.filter((title) => !isCompletedByRow(title)));
}

const isCompletedByRow = (title: string): boolean => /%[a-z]|\$\w/.test(title);

/** The title of `describe('…', …)`, `it('…', …)` or `it.each(…)('…', …)`. */
function titleOf(node: ts.Node): string | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  const [title, body] = node.arguments;
  const called = /^(describe|it|test)\b/.test(nameOf(node.expression));
  return called && body && title && ts.isStringLiteralLike(title) ? title.text : undefined;
}

/** `it` for `it`, `it.each`, `it.each(…)`, and `(isInstalled ? it : it.skip)`. */
function nameOf(called: ts.Expression): string {
  if (ts.isIdentifier(called)) return called.text;
  if (ts.isParenthesizedExpression(called)) return nameOf(called.expression);
  if (ts.isConditionalExpression(called)) return nameOf(called.whenTrue);
  return ts.isCallExpression(called) || ts.isPropertyAccessExpression(called) ? nameOf(called.expression) : '';
}
