/** Every route is documented, and nothing is documented that is no route. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { PUBLIC, ROUTES } from '../support/contracts.js';

const routes = ROUTES.map(({ method, path }) => `${method} ${path}`);
const page = readFileSync('docs/api.md', 'utf8');
const rows = [...page.matchAll(/^\| `([A-Z]+)` +\| `([^`]+)` +\|/gm)].map(([, method, path]) => `${method} ${path}`);

/** Of each POST, the largest body in KiB. */
const sizes = [...PUBLIC.filter(({ method }) => method === 'POST')].map(
  ({ method, path, bodyBytes }) => `${method} ${path}: ${bodyBytes / 1024} KiB`,
);

describe('docs/api.md', () => {
  it('says how large the body of every POST may be', () => {
    const stated = [...page.matchAll(/^\| `(POST [^`]+)` +\| (\d+ KiB) +\|$/gm)].map(
      ([, post, kib]) => `${post}: ${kib}`,
    );
    expect(stated.toSorted()).toEqual(sizes.toSorted());
    expect(sizes).toHaveLength(routes.filter((route) => route.startsWith('POST ')).length);
  });

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
