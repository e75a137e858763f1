/**
 * What a request costs follows from what it may mean, at every endpoint: nothing is read for a caller that is not proven, counts
 * are looked at before what they count, and no depth and no number of bytes is more than a refusal. An endpoint that is new
 * fails here until it says how large its body is and what it takes.
 */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { z } from 'zod';
import { HARD_LIMITS } from '../../src/domain/limits.js';
import type { Endpoint } from '../../src/http/wire/endpoint.js';
import { calls, exchangeForm, type Reply } from '../support/calls.js';
import { PUBLIC } from '../support/contracts.js';
import { startSignalBroker, type SignalBroker } from '../support/brokers/signals.js';
import type { TestBroker } from '../support/brokers/http.js';
import { forgeToken } from '../support/issuers/issuer.js';
import { SET_TYPE } from '../support/issuers/transmitter.js';
import { FORM_NOISE, JSON_BODIES, MARK, nested } from '../support/noise.js';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

const POSTS = PUBLIC.filter(({ method }) => method === 'POST');
const posts = POSTS.map(({ path }) => path);

/** Returns the content type of a POST, as its contract says. */
function takenBy(post: string): string {
  const contract = POSTS.find(({ path }) => path === post)?.handle.contract;
  return contract?.raw?.[0] ?? (contract?.form ? FORM : JSON_TYPE);
}

const limitOf = (post: string): number =>
  PUBLIC.find(({ method, path }) => method === 'POST' && path === post)!.bodyBytes;

let setting: SignalBroker;
let broker: TestBroker;
let proven: string;

beforeAll(async () => {
  setting = await startSignalBroker();
  ({ broker } = setting);
  proven = await broker.identity('soc');
});
afterEach(() => {
  jest.restoreAllMocks();
  z.config({ customError: undefined });
});

const forged = (header: object, claims: object) => forgeToken(header, claims, () => 'AA');
const filled = (path: string) =>
  path.replace(':id', 'tsk_aabbbbbbbbbbbbbb').replace(/[*:](seq|id|target|source)\b/, 'x');

/** The form of an endpoint without the parameters that the noise is in. */
function formOf(post: string, token: string | undefined): string {
  if (post !== '/token') return '';
  const parameters = Object.entries(exchangeForm(token ?? '')).filter(([name]) => name !== 'scope');
  return new URLSearchParams(parameters).toString();
}

const send = (post: string, body: string, bearer?: string): Promise<Reply> =>
  broker.send(filled(post), {
    method: 'POST',
    body,
    headers: {
      'content-type': takenBy(post),
      ...(bearer !== undefined &&
        takenBy(post) !== SET_TYPE &&
        post !== '/token' && { authorization: `Bearer ${bearer}` }),
    },
  });

const cases = posts.flatMap((post): [string, string, (token: string) => string][] => {
  const bytes = limitOf(post);
  // A form of the page for approvers proves nothing by a token, and there is no page here: `http/page/sign-in` tries them.
  if (POSTS.find(({ path }) => path === post)?.handle.contract.proof === 'session') return [];
  if (takenBy(post) === JSON_TYPE) return JSON_BODIES.map(([name, body]) => [post, name, () => body(bytes - 20)]);
  if (takenBy(post) === SET_TYPE) return [];
  return FORM_NOISE.map(([name, noise]) => [
    post,
    name,
    (token) => {
      const form = `${formOf(post, token)}&`;
      return `${form}${noise(bytes - form.length)}`;
    },
  ]);
});

/** An answer without what differs each time. */
const answerOf = ({ status, body }: Reply) => ({ status, body: { ...(body as object), instance: undefined } });

it('every POST says how large its body is, and fits its limit', () => {
  expect(posts).toContain('/token');
  expect(PUBLIC.filter(({ method, bodyBytes }) => (method === 'POST') !== bodyBytes > 0)).toEqual([]);
  for (const [post, , body] of cases)
    expect(Buffer.byteLength(body('x'.repeat(500)))).toBeLessThanOrEqual(limitOf(post));
});

describe('without a valid proof, the largest body is answered like the smallest, and none of it is read', () => {
  it.each(cases)('%s: %s', async (post, name, body) => {
    const worthless = forged({ alg: 'ES256' }, { iss: 'https://evil.example', sub: 'x' });
    const plain = takenBy(post) === FORM ? `${formOf(post, worthless)}&scope=a:b&token=x` : '{}';
    const expected = answerOf(await send(post, plain, worthless));
    const parse = jest.spyOn(JSON, 'parse');
    const issues = countIssues();
    const reply = answerOf(await send(post, body(worthless), worthless));
    // A form with too many parameters is refused before the token in it can be found.
    if (name === 'parameters') expect(reply.status).toBe(400);
    else expect(reply).toEqual(expected);
    expect(parse.mock.calls.filter(([text]) => text.includes(MARK) || text.length > 1_000)).toEqual([]);
    expect(issues()).toBe(0);
  });

  it('POST /signals: an event token of nobody', async () => {
    const claims = {
      iss: 'https://evil.example',
      events: Object.fromEntries(Array.from({ length: 800 }, (_, n) => [n, 1])),
    };
    const issues = countIssues();
    const reply = await send('/signals', forged({ alg: 'ES256', typ: 'secevent+jwt' }, claims));
    expect([reply.status, reply.body]).toMatchObject([400, { err: 'invalid_issuer' }]);
    expect(issues()).toBe(0);
  });
});

describe('with a valid proof, the largest body is refused after few mistakes and few look-ups', () => {
  it.each(cases)('%s: %s', async (post, name, body) => {
    const agent = await broker.identity('agent-7');
    const issues = countIssues();
    const before = await storeReads();
    const reply = await send(post, body(agent), proven);
    expect([reply.status, reply.text.length < 1_000]).toEqual([
      post === '/introspect' && name === 'key ids' ? 200 : 400,
      true,
    ]);
    expect(issues()).toBeLessThanOrEqual(8);
    expect((await storeReads()) - before).toBeLessThanOrEqual(READS_MOST);
    expect(broker.logged()).not.toContain('"level":"error"');
  });

  it('POST /signals: an event token of a transmitter, with mistakes everywhere', async () => {
    const many = Object.fromEntries(Array.from({ length: 700 }, (_, n) => [n, 1]));
    const aud = Array.from({ length: 900 }, () => 1);
    for (const claims of [{ events: many }, { aud }, { sub_id: many }]) {
      const issues = countIssues();
      const reply = await send('/signals', await setting.idp.set({ format: 'opaque', id: 'x' }, { claims }));
      expect([202, 400]).toContain(reply.status);
      expect(issues()).toBeLessThanOrEqual(8);
    }
  });
});

describe('depth is a refusal, and never a failure', () => {
  const deep = JSON.parse(nested(5_000)) as Record<string, unknown>;
  it('in the claims of an identity token', async () => {
    const reply = await broker.exchange(forged({ alg: 'ES256' }, deep));
    expect([reply.status, reply.body]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  it('in the header of an identity token', async () => {
    const reply = await broker.get('/tasks/x', forged(deep, {}));
    expect([reply.status, reply.body]).toMatchObject([401, { code: 'invalid_token' }]);
  });

  it('in a token that is introspected', async () => {
    expect(await broker.introspect(forged(deep, deep), proven)).toMatchObject({ status: 200, body: { active: false } });
  });

  it('in a security event token, signed or not', async () => {
    const signed = await setting.idp.set({ format: 'opaque', id: 'x', a: deep });
    for (const set of [signed, forged(deep, deep)]) expect((await send('/signals', set)).status).toBe(400);
  });
});

describe('the size of a body', () => {
  it.each(PUBLIC)('$method $path takes what it says, and not a byte more', async (endpoint) => {
    const { bodyBytes, method } = endpoint;
    const [largest, larger] = [await sized(endpoint, bodyBytes), await sized(endpoint, bodyBytes + 1)];
    if (method === 'POST') expect(largest).not.toBe(413);
    expect(larger).toBe(413);
  });

  it('does not matter where there is nothing', async () => {
    expect((await broker.form('/nowhere', { padding: 'x'.repeat(100_000) })).status).toBe(404);
    expect((await broker.form('/jwks', { padding: 'x'.repeat(100_000) })).status).toBe(405);
  });
});

it('a path of thousands of parts, and a query of thousands of parameters, are refused before anybody is known', async () => {
  const path = `/workloads/${'a/'.repeat(HARD_LIMITS.urlParts)}risk`;
  expect((await broker.get(path, proven)).status).toBe(404);
  expect((await broker.get(`/workloads/${'a/'.repeat(40)}b/risk`, proven)).status).not.toBe(404);
  const query = Array.from({ length: 2_000 }, (_, n) => `a${n}=1`).join('&');
  expect((await broker.get(`/audit?${query}`, 'x')).status).toBe(401);
  const reply = await broker.get(`/audit?${query}`, proven);
  expect([reply.status, reply.body]).toMatchObject([400, { detail: 'There are more than 64 parameters.' }]);
});

/** The log of the caller's causes, the caller's own records, and a handful of look-ups. */
const READS_MOST = 2 * HARD_LIMITS.handlesPerText + 4;

/** How often the broker read records. */
async function storeReads(): Promise<number> {
  const { text } = await calls(broker.operationsUrl).get('/metrics');
  return Number(/^mayfly_store_seconds_count\{operation="read"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Counts the mistakes that zod reports from now on: it asks for a text for each. */
function countIssues(): () => number {
  let count = 0;
  z.config({
    customError: () => {
      count += 1;
      return undefined;
    },
  });
  return () => count;
}

/** Returns the status of a request with a body of so many bytes. fetch sends none with GET. */
async function sized({ method, path }: Endpoint, bytes: number): Promise<number | undefined> {
  const headers = { 'content-type': method === 'POST' ? takenBy(path) : JSON_TYPE, 'content-length': bytes };
  const asked = httpRequest(`${broker.url}${filled(path)}`, { method, headers });
  asked.end('x'.repeat(bytes));
  const [response] = (await once(asked, 'response')) as [{ statusCode?: number; resume(): void }];
  response.resume();
  return response.statusCode;
}
