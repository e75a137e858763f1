/** A stranger's text that forges a line, drives a terminal or reads backwards: refused where it is kept, defused where it is shown. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fetchCredentials } from '../../src/cli/aws/credentials.js';
import { run } from '../../src/cli/run.js';
import { timelineLines } from '../../src/cli/timeline-lines.js';
import { isWellFormed } from '../../src/domain/selector.js';
import { printable } from '../../src/http/wire/fields.js';
import { nameFrom } from '../../src/identity/claim-values.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';

const CHARACTERS = [
  ['a line feed', '\n'],
  ['a carriage return', '\r'],
  ['a null byte', '\0'],
  ['an escape', '\u001b'],
  ['a C1 control, which some terminals take for an escape', '\u009b'],
  ['a bidi override', '\u202e'],
  ['a bidi isolate', '\u2066'],
  ['a zero-width space', '\u200b'],
  ['a byte order mark', '\ufeff'],
  ['a line separator', '\u2028'],
  ['a paragraph separator', '\u2029'],
  ['a private-use character', '\ue000'],
  ['an unassigned character', '\u{e0080}'],
  ['half a character', '\ud800'],
] as const;

let answer: { status: number; body: object } = { status: 200, body: {} };
const server = createServer((_, response) => {
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
});
let origin = '';
const tokenFile = join(temporaryDirectory(), 'token');
writeFileSync(tokenFile, 'header.payload.signature');

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

async function mayfly(...argv: string[]): Promise<{ code: number; said: string[] }> {
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const code = await run(argv, { out: say, err: say, clock: handClock() });
  return { code, said };
}

const askTimeline = () => mayfly('timeline', '--broker', origin, '--token-file', tokenFile, '--task', 'tsk_1');
const messageOf = (work: Promise<unknown>) => work.then(String, (error: unknown) => (error as Error).message);

describe.each(CHARACTERS)('%s', (_, character) => {
  const text = `one${character}two`;

  it('is refused wherever it would be kept', async () => {
    expect(() => nameFrom(text, 'a subject')).toThrow('has a character other than');
    expect(isWellFormed({ kind: 'workload', value: text })).toBe(false);
    expect(printable(64).safeParse(text).success).toBe(false);
    const { code, said } = await mayfly('canary', 'mint', '--label', text);
    expect([code, said.join()]).toEqual([1, expect.stringContaining('one line of 1 to')]);
  });

  it('reaches no terminal', async () => {
    const entry = { at: '2030-01-01T00:00:00.000Z', type: text, by: text, text, reason: text, purpose: text };
    expect(timelineLines([entry], entry).join('')).not.toContain(character);

    answer = { status: 200, body: { entries: [entry] } };
    expect((await askTimeline()).said.join('')).not.toContain(character);
    answer = { status: 403, body: { code: 'access_denied', detail: text } };
    expect((await askTimeline()).said).toEqual(['access_denied: one two']);
    answer = { status: 403, body: { code: 'access_denied', message: text } };
    expect(await messageOf(fetchCredentials(new URL(origin), 'token'))).toBe('access_denied: one two');
    answer = { status: 403, body: { code: text, message: text } };
    expect(await messageOf(fetchCredentials(new URL(origin), 'token'))).toBe('The broker answered 403.');
  });
});
