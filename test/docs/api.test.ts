/** The pages that are made from the code are as the code makes them, and no route is left out. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ACTION_LIBRARY, actionFiles } from '../../scripts/pages/action.js';
import { PAGES, pageText } from '../../scripts/pages/pages.js';
import { VECTORS, vectorsText } from '../../scripts/pages/vectors.js';
import { auditLineSchema } from '../../src/audit/chain.js';
import { AUDIT_EVENT_TYPES } from '../../src/domain/audit-event-types.js';
import { ROUTES } from '../support/contracts.js';

const page = readFileSync('docs/api.md', 'utf8');

describe.each(PAGES)('%s', (path) => {
  it('is what `npm run pages` writes', async () => {
    expect(readFileSync(path, 'utf8')).toBe(await pageText(path));
  });
});

it('the client in the GitHub Action is what `npm run pages` writes', async () => {
  const names = readdirSync(ACTION_LIBRARY, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.js'),
  );
  const there = names.map((name) => [join(ACTION_LIBRARY, name), readFileSync(join(ACTION_LIBRARY, name), 'utf8')]);
  expect(Object.fromEntries(there)).toEqual(Object.fromEntries(await actionFiles()));
});

describe('docs/api.md', () => {
  it('has a heading for every route, and no other', () => {
    const headings = [...page.matchAll(/^### ([A-Z]+ \/.*)$/gm)].map(([, heading]) => heading);
    expect(headings.toSorted()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted());
  });

  it.each(['/token', '/tasks', '/introspect', '/revoke', '/revocations', '/audit'])(
    'shows a curl line for %s',
    (path) => {
      expect(page).toMatch(new RegExp(`^curl .*\\$broker${path}\\b`, 'm'));
    },
  );
});

describe('docs/audit.md', () => {
  it('shows a line that a broker could have written', () => {
    const [, example = ''] = /```json\n(.*?)```/s.exec(readFileSync('docs/audit.md', 'utf8')) ?? [];
    expect(auditLineSchema.safeParse(JSON.parse(example))).toMatchObject({ success: true });
  });

  it('explains every type of entry, and no other', () => {
    const types = [...readFileSync('docs/audit.md', 'utf8').matchAll(/^- `([a-z]+\.[a-z_]+)`: /gm)].map(
      ([, type]) => type,
    );
    expect(types).toEqual(AUDIT_EVENT_TYPES);
  });
});

it('the cases for verifiers in other languages are what the rules of the broker decide', async () => {
  expect(readFileSync(VECTORS, 'utf8')).toBe(await vectorsText());
});
