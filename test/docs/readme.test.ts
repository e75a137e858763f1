/** Every command that the README shows works as written, no page has a dead link or a broken table, and the changelog says each thing once. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS } from '../support/brokers/http.js';
import { pages } from '../support/pages.js';
import { writePolicies } from '../support/policy.js';

const page = readFileSync('README.md', 'utf8');
const block = (language: string, containing: string): string =>
  [...page.matchAll(/```(\w+)\n([^`]*)```/g)].find(
    ([, name, text]) => name === language && text?.includes(containing),
  )?.[2] ?? '';
const curl = block('sh', '/token');
const permit = block('cedar', 'permit');

describe('README.md', () => {
  it('shows a curl line that gets a credential from a broker with the development policies', async () => {
    const broker = await startBroker();
    const { status, body } = await broker.form('/token', formOf(curl, await broker.identity('agent-7')));
    expect({ status, body }).toMatchObject({ status: 200, body: { scope: 'incident/4711:read', expires_in: 300 } });
    expect(body).toMatchObject({ access_token: expect.any(String), task_id: expect.stringMatching(/^tsk_/) });
  });

  it('shows the permit that allows it: with it the curl line is granted, without it refused', async () => {
    const openTask = '@id("open") permit (principal, action == Action::"openTask", resource);';
    const statuses = [];
    for (const policies of [openTask, `${openTask}\n${permit}`]) {
      const directory = writePolicies({
        'a.cedar': policies,
        'schema.cedarschema': readFileSync('config/policies/schema.cedarschema', 'utf8'),
      });
      const broker = await startBroker({ config: { policy: { engine: 'cedar', directory } } });
      const { status } = await broker.form('/token', formOf(curl, await broker.identity('agent-7')));
      statuses.push(status);
      await broker.close();
    }
    expect(statuses).toEqual([400, 200]);
  });

  it('says that customer/12 is refused in a sentence', async () => {
    const broker = await startBroker();
    const form = { ...formOf(curl, await broker.identity('agent-7')), scope: 'customer/12:read' };
    const { body } = await broker.form('/token', form);
    expect(body).toMatchObject({ error: 'access_denied', error_description: expect.stringContaining('customer/12') });
  });

  it('shows a permit that stands in the development policies', () => {
    expect(inOneLine(readFileSync('config/policies/agents.cedar', 'utf8'))).toContain(inOneLine(permit));
    expect(permit).toContain(TICKETS);
  });

  it('shows the curl line that npm start prints', () => {
    const printed = readFileSync('scripts/start.mjs', 'utf8').replaceAll('\\\\', '\\');
    for (const [parameter] of curl.matchAll(/-d \S+/g)) expect(printed).toContain(parameter);
  });
});

const inOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

describe.each(pages)('%s', (path) => {
  it('links to nothing that is not there', () => {
    const links = [...readFileSync(path, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)];
    const missing = links.map(([, link]) => link ?? '').filter((link) => !existsSync(join(dirname(path), link)));
    expect(missing).toEqual([]);
  });

  it('links to no heading that is not there', () => {
    const links = [...readFileSync(path, 'utf8').matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)];
    const missing = links
      .map(([, file = '', anchor = '']) => ({ file: file === '' ? path : join(dirname(path), file), anchor }))
      .filter(({ file, anchor }) => file.endsWith('.md') && !anchorsOf(file).includes(anchor));
    expect(missing).toEqual([]);
  });

  it('has no row of a table with more or fewer cells than its head, which readers would see in the wrong columns', () => {
    const prose = readFileSync(path, 'utf8').replaceAll(/^ *```.*?^ *```/gms, '');
    const tables = [...prose.matchAll(/(?:^\|.*\n)+/gm)].map(([table]) => table.trimEnd().split('\n'));
    expect(tables.flatMap(([head = '', ...rows]) => rows.filter((row) => cellsOf(row) !== cellsOf(head)))).toEqual([]);
  });
});

const cellsOf = (row: string): number => row.match(/(?<!\\)\|/g)?.length ?? 0;

describe('CHANGELOG.md', () => {
  const sections = readFileSync('CHANGELOG.md', 'utf8').split(/^##+ .*$/m);
  const entries = sections.map((text) => text.split(/^- /m).slice(1).map(inOneLine));

  it('has no entry that breaks off', () => {
    expect(entries.flat().filter((entry) => !entry.endsWith('.'))).toEqual([]);
  });

  it('begins no two entries of a section alike: one of them would be an earlier state of the other', () => {
    const begins = entries.map((section) => section.map((entry) => entry.slice(0, 24)));
    expect(begins.map((section) => section.filter((one, at) => section.indexOf(one) !== at)).flat()).toEqual([]);
  });
});

/** The anchors that GitHub gives to the headings of a page. */
const anchorsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );

/** The parameters of the curl line, with an identity where the shell would put one. */
function formOf(command: string, identity: string): Record<string, string> {
  const pairs = [...command.matchAll(/-d (\w+)=(?:"\$\(npx mayfly dev-token [^)]*\)"|(\S+))/g)];
  return Object.fromEntries(pairs.map(([, name = '', value = identity]) => [name, value]));
}
