/** The tables of clients and of divergences: each row has a test that is there. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const page = readFileSync('docs/clients.md', 'utf8');
const section = page.split(/^## /m).find((text) => text.startsWith('Which client\n')) ?? '';
const GATEWAYS = 'test/http/gateways.test.ts';
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, client = '', grant = '', works = '', shown = '']) => ({ client, grant, works, shown }));

describe('the table of clients', () => {
  it.each(rows)('has a test for $client: $grant', ({ shown }) => {
    const [, file = '', title = ''] = /^`(test\/[\w/.-]+\.test\.ts)`: (.+)$/.exec(shown) ?? [];
    expect(existsSync(file)).toBe(true);
    expect(namesIn(file)).toContain(title);
  });

  it.each(rows)('says plainly whether it works, and else what to use: $client: $grant', ({ works }) => {
    expect(works).toMatch(/^(yes|yes, .+|no: .+)$/);
  });

  it('leaves out no request of a gateway', () => {
    const names = [...readFileSync(GATEWAYS, 'utf8').matchAll(/^ {4}name: '(.+)',$/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(0);
    const shown = new Set(rows.map((row) => row.shown));
    expect(names.filter((name) => !shown.has(`\`${GATEWAYS}\`: ${name}`))).toEqual([]);
  });

  it.each([
    'MCP TypeScript SDK 1',
    'MCP TypeScript SDK 2',
    'MCP Python SDK',
    'MCP hosts that log a person in',
    'oauth4webapi',
    'openid-client',
    'authlib',
    'golang.org/x/oauth2',
    'Nimbus',
    'agentgateway',
    'AgentCore',
    '`@mayfly-broker/client`',
    '`mayfly-broker`',
    '`mayfly exec`',
    '`mayfly exec --proxy`',
    '`mayfly proxy`',
    '`mayfly headers`',
    'curl',
  ])('has a row for %s', (client) => {
    expect(rows.some((row) => row.client.includes(client))).toBe(true);
  });
});

describe('the table of divergences', () => {
  const divergences = readFileSync('docs/divergences.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (standard|-)/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map((cells) => ({ standard: cells[1] ?? '', cells: cells.slice(1, -1) }));

  it.each(divergences)('says what, why and where it is shown: $standard', ({ cells }) => {
    expect(cells).toHaveLength(5);
    const shown = cells[4] ?? '';
    if (shown === 'not shown') return;
    const [, file = '', title = ''] = /^`(test\/[\w/.-]+\.test\.ts)`: (.+)$/.exec(shown) ?? [];
    expect(existsSync(file)).toBe(true);
    expect(namesIn(file)).toContain(title);
  });
});

/** All that may name a test, or the row of one: the texts of a file, and the names of members. */
function namesIn(file: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.push(node.text);
    if (ts.isPropertyAssignment(node)) found.push(node.name.getText(source).replaceAll("'", ''));
    ts.forEachChild(node, visit);
  };
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  visit(source);
  return found;
}
