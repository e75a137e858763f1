/**
 * Who makes permission: only files that ask policy first; and who asks about operator verbs. The import rules say so, and are tried
 * here on a tree of its own.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Permission } from '../../../src/authorization/permission.js';

const CLASS = 'export class Permission {}\nexport type Permitted = Permission;\n';
/** What a file in each place does with the class. */
const FORGES = "import { Permission } from 'PLACE';\nexport const forged = new Permission();\n";
const NAMES = "import type { Permitted } from 'PLACE';\nexport type Named = Permitted;\n";
/** `permit` asks whatever it is told to: a closure that says yes makes permission, too. */
const TELLS = "import { permit } from 'PLACE';\nexport const forged = permit(() => 'permit');\n";
const PERMIT =
  "import { Permission } from 'PLACE';\nexport const permit = (ask: () => string) => ask() && new Permission();\nexport type PermitDeps = object;\n";
const NAMES_DEPS = "import type { PermitDeps } from 'PLACE';\nexport type Named = PermitDeps;\n";
const ASK = "export const decideOperation = () => 'permit';\n";
const COMPARES = "import { decideOperation } from 'PLACE';\nexport const may = decideOperation() === 'permit';\n";
const HANDS_ON = "export { Permission } from 'PLACE';\n";

const FILES = {
  'authorization/permission.ts': CLASS,
  'authorization/permit.ts': PERMIT,
  'authorization/decide-operation.ts': ASK,
  'authorization/permits-or-unavailable.ts': ASK,
  'authorization/ask-on-target.ts': COMPARES,
  'authorization/permit-on-run.ts': TELLS,
  'authorization/requester.ts': TELLS,
  'signals/forges.ts': TELLS,
  'signals/names.ts': NAMES_DEPS,
  'credentials/compares.ts': COMPARES,
  'authorization/permit-on-task.ts': FORGES,
  'authorization/permissions.ts': FORGES,
  'authorization/caller.ts': FORGES,
  'authorization/decide.ts': NAMES,
  'tasks/forges.ts': FORGES,
  'tasks/names.ts': NAMES,
  'tasks/permit-on-task.ts': FORGES,
  'inventory/hands-on.ts': HANDS_ON,
};

/** The file of authorization/ that each of them imports. */
const IMPORTED: Record<string, string> = {
  [TELLS]: 'permit.js',
  [NAMES_DEPS]: 'permit.js',
  [COMPARES]: 'decide-operation.js',
};

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mayfly-imports-'));
  for (const [file, text] of Object.entries(FILES)) {
    const [room, name] = [path.dirname(file), path.join(root, 'src', file)];
    mkdirSync(path.dirname(name), { recursive: true });
    const place = `${room === 'authorization' ? '.' : '../authorization'}/${IMPORTED[text] ?? 'permission.js'}`;
    writeFileSync(name, text.replace('PLACE', place));
  }
  writeFileSync(path.join(root, 'tsconfig.json'), '{"compilerOptions":{"module":"nodenext"}}');
});
afterAll(() => rmSync(root, { recursive: true }));

interface Violation {
  rule: { name: string };
  from: string;
}

function violations(ofRule: string): string[] {
  const [tool, rules] = ['node_modules/.bin/depcruise', '.dependency-cruiser.mjs'].map((name) => path.resolve(name));
  const args = ['--config', rules ?? '', '--output-type', 'json', 'src'];
  const told = execFileSync(tool ?? '', args, { cwd: root, encoding: 'utf8' });
  const { summary } = JSON.parse(told) as { summary: { violations: Violation[] } };
  const caught = summary.violations.filter(({ rule }) => rule.name === ofRule);
  return caught.map(({ from }) => from).toSorted();
}

it('the import rule lets permissions be made by the files that ask policy, and by no others', () => {
  expect(violations('permission-is-made-by-permit')).toEqual([
    'src/authorization/caller.ts',
    'src/authorization/permissions.ts',
    'src/authorization/requester.ts',
    'src/inventory/hands-on.ts',
    'src/signals/forges.ts',
    'src/tasks/forges.ts',
    'src/tasks/permit-on-task.ts',
  ]);
});

it('no other room asks policy about an operator verb itself: it would compare the answer as if there were two', () => {
  expect(violations('operator-verbs-are-asked-in-authorization')).toEqual(['src/credentials/compares.ts']);
});

it('none of these files hands the class on', async () => {
  const makers = readdirSync('src/authorization').filter((name) => /^permit(-[a-z-]+)?\.ts$/.test(name));
  expect(makers.length).toBeGreaterThan(4);
  for (const name of makers) {
    const made = (await import(`../../../src/authorization/${name.replace(/ts$/, 'js')}`)) as object;
    expect(Object.values(made)).not.toContain(Permission);
  }
});
