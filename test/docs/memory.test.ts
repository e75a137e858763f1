/** The page of what a process remembers is complete: it names files that exist, and every file that keeps a cache. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const named = [...readFileSync('docs/memory.md', 'utf8').matchAll(/^\| `([\w/-]+\.ts)` +\|/gm)].map(
  ([, path = '']) => path,
);

/** Files that keep a collection beyond a call, and are rightly not on the page. */
const NOT_MEMORY: Readonly<Record<string, string>> = {
  'audit/usage.ts': 'lives for one answer',
  'authorization/asked-once.ts': 'lives for one request',
  'authorization/fill-page.ts': 'lives for one answer',
  'authorization/permit-on-approval.ts': 'lives for one answer',
  'cli/people/tree.ts': 'lives for one command',
  'cli/policy/changes.ts': 'lives for one command',
  'http/wire/body.ts': 'lives for one request',
  'http/wire/router.ts': 'holds the table of the code, which never grows',
  'inventory/timeline.ts': 'lives for one page of one answer',
  'policy/cedar/policy-file.ts': 'lives while one file is parsed',
  'policy/cedar/mentions.ts': 'lives while one policy is read',
  'policy/cedar/told.ts': 'lives while one condition is explained',
};

const keeping = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && keepsCollection(readFileSync(`src/${path}`, 'utf8')))
  .sort();

/** True if the text declares an empty Map, Set, WeakMap, WeakSet or LRUCache that outlives the call that made it. */
function keepsCollection(text: string): boolean {
  const file = ts.createSourceFile('scanned.ts', text, ts.ScriptTarget.Latest, true);
  let found = false;
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && isEmptyCollection(node.initializer)) found ||= outlivesCall(node);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function isEmptyCollection(value: ts.Expression | undefined): boolean {
  if (!value || !ts.isNewExpression(value)) return false;
  const name = value.expression.getText();
  return name === 'LRUCache' || (/^(Weak)?(Map|Set)$/.test(name) && (value.arguments ?? []).length === 0);
}

/** True if the variable is the module's, or if a function uses it that is more than the argument of a call. */
function outlivesCall(variable: ts.VariableDeclaration): boolean {
  const home = ts.findAncestor(variable, ts.isFunctionLike);
  if (!home) return true;
  const name = variable.name.getText();
  let found = false;
  const visit = (node: ts.Node, inClosure: boolean): void => {
    if (inClosure && ts.isIdentifier(node) && node.text === name) found = true;
    const closure = ts.isFunctionLike(node) && node !== home && !ts.isCallExpression(node.parent);
    ts.forEachChild(node, (child) => visit(child, inClosure || closure));
  };
  visit(home, false);
  return found;
}

describe('docs/memory.md', () => {
  it('lists what is remembered, file by file', () => {
    expect(named.length).toBeGreaterThan(10);
    expect(new Set(named).size).toBe(named.length);
  });

  it.each(named)('names %s, which exists', (path) => {
    expect(existsSync(`src/${path}`)).toBe(true);
  });

  it.each(keeping.filter((path) => !Object.hasOwn(NOT_MEMORY, path)))('names %s, which keeps a collection', (path) => {
    expect(named).toContain(path);
  });

  it('has no exception that is not needed', () => {
    expect(Object.keys(NOT_MEMORY).filter((path) => !keeping.includes(path) || named.includes(path))).toEqual([]);
  });
});
