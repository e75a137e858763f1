/** What commands for people take a text for, and what they print of an answer that somebody else has made up. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recognised, THINGS_MOST } from '../../../src/cli/people/recognise.js';
import { quoted } from '../../../src/cli/people/receipt.js';
import { run } from '../../../src/cli/run.js';
import { handClock } from '../../support/clock.js';
import { temporaryDirectory } from '../../support/directory.js';

describe('what a pasted text is', () => {
  const id = (prefix: string) => `${prefix}_aaaaaaaaaaaaaaaa`;
  const named = (...kinds: string[]) => [
    { is: 'name', selectors: kinds.map((kind) => expect.objectContaining({ kind })) },
  ];
  it.each([
    [id('crd'), [{ is: 'credential', id: id('crd') }]],
    [
      `{"task":"${id('tsk')}","decision_id":"${id('dec')}"}`,
      [
        { is: 'task', id: id('tsk') },
        { is: 'decision', id: id('dec') },
      ],
    ],
    [`${id('sig')} ${id('sig')}`, [{ is: 'signal', id: id('sig') }]],
    [`"approval_id":"${id('apr')}"`, [{ is: 'approval', id: id('apr') }]],
    ['req_5b1f-2c', [{ is: 'request', id: 'req_5b1f-2c' }]],
    ['ASIAQNZDLVMXR3EXAMPL', [{ is: 'credential', id: 'ASIAQNZDLVMXR3EXAMPL' }]],
    ['https://mayfly.example/errors#invalid_grant', [{ is: 'refusal', code: 'invalid_grant' }]],
    ['4711', [{ is: 'revocation', seq: 4711 }]],
    ['ann@example.com', [{ is: 'address' }]],
    ['spiffe://prod.example/agent', named('workload', 'principal')],
    ['lab:agent-7', named('workload', 'principal', 'subject', 'session', 'target')],
    ['email:staff/ann@example.com', named('principal')],
    ['https://tickets.example', named('target')],
    ['hunter2', []],
    ['', []],
    ['Basic YWRtaW46aHVudGVyMg==', []],
    ['lab:agent 7\nsecond line', []],
  ])('%j', (text, things) => expect(recognised(text)).toEqual(things));

  it('is a token before all else, so that nothing of it is taken for a name', () => {
    const token = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.e30.c2ln`;
    expect(recognised(`lab:${token} ${id('crd')}`)).toEqual([{ is: 'token' }]);
  });

  it('is bounded: a whole log has more than are looked at', () => {
    const many = Array.from({ length: 40 }, (_, index) => `req_${index}`).join(' ');
    expect(recognised(many).length).toBeGreaterThan(THINGS_MOST);
  });
});

it.each([
  ['lab:agent-7', 'lab:agent-7'],
  ["a'; rm -rf / #", `'a'\\''; rm -rf / #'`],
  ['$(id)', `'$(id)'`],
])('%j is an argument of the command that is shown: %s', (text, shown) => expect(quoted(text)).toBe(shown));

/** Drives a terminal, forges a line, turns the direction of the text, ends a line for some programs. */
const EVIL = 'x\u001b[2J\u009b31m\ny\u202ez\u2028';
const receipt = {
  seq: 7,
  at: EVIL,
  selector: { kind: 'workload', value: EVIL },
  effect: EVIL,
  seen: true,
  actor: EVIL,
  reason: EVIL,
  reaction: EVIL,
  until: EVIL,
  ticket: EVIL,
  affected: { credentials: 1, tasks: 1, byTarget: { [EVIL]: 1 }, byOwner: { [EVIL]: 1 } },
};
const task = {
  id: EVIL,
  state: EVIL,
  workload: EVIL,
  principal: EVIL,
  openedBy: EVIL,
  purpose: EVIL,
  openedAt: EVIL,
  deadline: EVIL,
  lineage: [EVIL],
  endedAt: EVIL,
  reason: EVIL,
};
const ANSWERS: [path: RegExp, answer: object][] = [
  [/^\/audit\?decision=dec_b/, { lines: [EVIL] }],
  [/^\/revocations\?/, { revocations: [receipt] }],
  [/^\/revocations\/7/, receipt],
  [/^\/revocations$/, { ...receipt, dryRun: true }],
  [/^\/workloads\//, { owner: { name: EVIL, contact: EVIL, runbook: EVIL }, risk: EVIL }],
  [/^\/tasks\?/, { tasks: [task] }],
  [/^\/tasks\//, task],
  [
    /^\/credentials\//,
    {
      id: EVIL,
      kind: EVIL,
      state: EVIL,
      accessKeyId: EVIL,
      task: EVIL,
      purpose: EVIL,
      target: EVIL,
      access: [{ identifier: EVIL, actions: [EVIL] }],
      issuedAt: EVIL,
      expiresAt: EVIL,
      causes: [{ kind: 'task', value: EVIL }],
    },
  ],
  [
    /^\/signals\//,
    {
      source: EVIL,
      event: EVIL,
      level: EVIL,
      about: [{ kind: 'task', value: EVIL }],
      receivedAt: EVIL,
      state: EVIL,
      reason: EVIL,
    },
  ],
  [
    /^\/audit/,
    {
      lines: [
        JSON.stringify({
          type: EVIL,
          actor: { id: EVIL },
          target: EVIL,
          reason: EVIL,
          decision: { outcome: EVIL, policies: [EVIL] },
        }),
      ],
    },
  ],
  [/^\/timeline/, { entries: [{ at: '2030-01-01T00:00:00.000Z', type: EVIL, by: EVIL, text: EVIL, reason: EVIL }] }],
];

describe('an answer of whoever is no broker', () => {
  const server = createServer((request, response) => {
    const [, answer] = ANSWERS.find(([path]) => path.test(request.url ?? '')) ?? [];
    response.writeHead(answer ? 200 : 403);
    void text(request).then((body) => {
      const detail = `${EVIL} ${request.headers.authorization} ${body}`;
      response.end(JSON.stringify(answer ?? { code: 'access_denied', detail }));
    });
  });
  const tokenFile = join(temporaryDirectory(), 'token');
  let origin = '';
  beforeAll(async () => {
    writeFileSync(tokenFile, 'a.b.c');
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  it.each([
    'whatis crd_aaaaaaaaaaaaaaaa',
    'whatis tsk_aaaaaaaaaaaaaaaa',
    'whatis dec_aaaaaaaaaaaaaaaa',
    'whatis sig_aaaaaaaaaaaaaaaa',
    'whatis req_1',
    'whatis 7',
    'whatis lab:agent-7',
    'whatis lab:agent-7 --json',
    'tasks',
    'tasks --json',
    'holds',
    'holds --json',
    'timeline --task a',
    'lift 7',
    'lift --reaction r',
    'revoke task a --reason r --dry-run',
    'revoke task a --reason r --dry-run --json',
    'revoke task a --reason r --yes',
  ])('drives no terminal and forges no line: mayfly %s', async (command) => {
    const lines = await said(command);
    expect(lines.join('')).toMatch(/x(\?|\\u001b| )\[2J/);
    expectHarmless(lines);
  });

  it.each([
    ['whatis dec_bbbbbbbbbbbbbbbb', /no answer of a broker/],
    [`headers --target https://a.example`, /x \[2J/],
    [`proxy http://127.0.0.1 --purpose p`, /x \[2J/],
    [`exec --target https://a.example --purpose p -- true`, /x \[2J/],
  ])('says so, and shows nothing that drives: mayfly %s', async (command, sentence) => {
    const lines = await said(command);
    expect(lines.join('')).toMatch(sentence);
    expectHarmless(lines);
  });

  async function said(command: string): Promise<string[]> {
    const lines: string[] = [];
    const note = (text: string) => void lines.push(text);
    const env = { MAYFLY_BROKER: origin, MAYFLY_TOKEN: 'a.b.c' };
    const [name = '', ...argv] = command.split(' ');
    const asAgent = ['headers', 'proxy', 'exec'].includes(name) ? ['--broker', origin, '--token-file', tokenFile] : [];
    await run([name, ...asAgent, ...argv], { out: note, err: note, clock: handClock(), env });
    return lines;
  }

  function expectHarmless(lines: readonly string[]): void {
    expect(lines.join('')).not.toContain('a.b.c');
    // eslint-disable-next-line no-control-regex -- what it looks for
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
  }
});
