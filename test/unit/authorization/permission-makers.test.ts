/** Who makes permission: only files that ask policy first. The import rule says so, and is tried here on a tree of its own. */
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
const HANDS_ON = "export { Permission } from 'PLACE';\n";

const FILES = {
  'authorization/permission.ts': CLASS,
  'authorization/permit.ts': FORGES,
  'authorization/permit-on-task.ts': FORGES,
  'authorization/permissions.ts': FORGES,
  'authorization/caller.ts': FORGES,
  'authorization/decide.ts': NAMES,
  'tasks/forges.ts': FORGES,
  'tasks/names.ts': NAMES,
  'tasks/permit-on-task.ts': FORGES,
  'inventory/hands-on.ts': HANDS_ON,
};

const RULE = 'permission-is-made-by-permit';
let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mayfly-imports-'));
  for (const [file, text] of Object.entries(FILES)) {
    const [room, name] = [path.dirname(file), path.join(root, 'src', file)];
    mkdirSync(path.dirname(name), { recursive: true });
    const place = room === 'authorization' ? './permission.js' : '../authorization/permission.js';
    writeFileSync(name, text.replace('PLACE', place));
  }
  writeFileSync(path.join(root, 'tsconfig.json'), '{"compilerOptions":{"module":"nodenext"}}');
});
afterAll(() => rmSync(root, { recursive: true }));

interface Violation {
  rule: { name: string };
  from: string;
}

function violations(): Violation[] {
  const [tool, rules] = ['node_modules/.bin/depcruise', '.dependency-cruiser.mjs'].map((name) => path.resolve(name));
  const args = ['--config', rules ?? '', '--output-type', 'json', 'src'];
  const told = execFileSync(tool ?? '', args, { cwd: root, encoding: 'utf8' });
  return (JSON.parse(told) as { summary: { violations: Violation[] } }).summary.violations;
}

it('the import rule lets the class of permissions be used by the files that ask policy, and by no others', () => {
  const caught = violations().filter(({ rule }) => rule.name === RULE);
  expect(caught.map(({ from }) => from).toSorted()).toEqual([
    'src/authorization/caller.ts',
    'src/authorization/permissions.ts',
    'src/inventory/hands-on.ts',
    'src/tasks/forges.ts',
    'src/tasks/permit-on-task.ts',
  ]);
});

it('none of these files hands the class on', async () => {
  const makers = readdirSync('src/authorization').filter((name) => /^permit(-[a-z-]+)?\.ts$/.test(name));
  expect(makers.length).toBeGreaterThan(4);
  for (const name of makers) {
    const made = (await import(`../../../src/authorization/${name.replace(/ts$/, 'js')}`)) as object;
    expect(Object.values(made)).not.toContain(Permission);
  }
});
