/** Every route is documented, and nothing is documented that is no route. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ROUTES } from '../support/routes.js';

const routes = ROUTES.map(({ method, path }) => `${method} ${path}`);
const page = readFileSync('docs/api.md', 'utf8');
const rows = [...page.matchAll(/^\| `([A-Z]+)` +\| `([^`]+)` +\|/gm)].map(([, method, path]) => `${method} ${path}`);

describe('docs/api.md', () => {
  it('has one row for every route, and no other', () => {
    expect(routes).toContain('POST /token');
    expect(rows.toSorted()).toEqual(routes.toSorted());
  });

  it.each(['/token', '/tasks', '/introspect', '/revoke', '/revocations', '/audit'])(
    'shows a curl line for %s',
    (path) => {
      expect(page).toMatch(new RegExp(`^curl .*\\$broker${path}\\b`, 'm'));
    },
  );
});
