/** Rules that apply to every endpoint: methods, content types, sizes, ids, headers. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { exchangeForm } from '../support/calls.js';
import { expectOAuthRefusal, expectProblem } from '../support/expect-refusal.js';

let broker: TestBroker;
let agent: string;

beforeAll(async () => {
  broker = await startBroker();
  agent = await broker.identity('agent-7');
});

const OAUTH = ['/token', '/revoke', '/introspect'];
const JSON_POSTS = ['/tasks', '/tasks/x/complete', '/tasks/x/suspend', '/tasks/x/resume', '/revocations'];

describe('a method that is not taken', () => {
  it.each(OAUTH)('%s says POST', async (path) => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const reply = await broker.send(path, { method });
      expectOAuthRefusal(reply, 405, 'method_not_allowed');
      expect(reply.headers.get('allow')).toBe('POST');
    }
  });

  it.each([
    ['/jwks', 'GET, HEAD'],
    ['/tasks', 'POST, GET, HEAD'],
    ['/revocations', 'POST, GET, HEAD'],
    ['/revocations/1', 'GET, HEAD, DELETE'],
    ['/audit', 'GET, HEAD'],
  ])('%s says %s', async (path, allowed) => {
    const reply = await broker.send(path, { method: 'PUT' });
    expectProblem(reply, 405, 'method_not_allowed');
    expect(reply.headers.get('allow')).toBe(allowed);
  });
});

describe('a path that is none', () => {
  it.each(['/', '/nowhere', '/token/', '/TOKEN', '/tasks/x/y', '/audit/', '//token'])('%s is 404', async (path) => {
    expectProblem(await broker.get(path), 404, 'not_found');
  });

  it('has its query behind the first question mark, and may have the origin in front, as proxies send it', async () => {
    for (const target of ['/audit?x=?', `${broker.url}/audit?x=?`, 'HTTP://other.example/audit?x=?']) {
      const socket = connect(Number(new URL(broker.url).port), '127.0.0.1');
      const bearer = `Authorization: Bearer ${agent}`;
      socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\n${bearer}\r\nConnection: close\r\n\r\n`);
      const answer = (await socket.toArray()).join('');
      expect({ target, answer }).toMatchObject({
        answer: expect.stringMatching(/^HTTP\/1.1 400 [^]*no field of the name x/),
      });
    }
  });

  it('comes before a pattern that it fits, for the methods that it takes', async () => {
    expectProblem(await broker.get('/signals/pending?x=1', agent), 400, 'invalid_request');
    expectProblem(await broker.get('/signals/dismiss', agent), 403, 'access_denied');
    expect((await broker.send('/signals/dismiss', { method: 'PUT' })).headers.get('allow')).toBe('POST');
  });

  it('that cannot be decoded is 400', async () => {
    expectProblem(await broker.get('/tasks/%zz'), 400, 'invalid_request', /cannot be decoded/);
  });
});

describe('a body', () => {
  it.each(OAUTH)('of another type is 415 at %s', async (path) => {
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
      const init = { method: 'POST', body: 'a=b', headers: { 'content-type': type } };
      expectOAuthRefusal(await broker.send(path, init), 415, 'unsupported_media_type');
    }
    expectOAuthRefusal(await broker.send(path, { method: 'POST' }), 415, 'unsupported_media_type');
  });

  it.each(JSON_POSTS)('of another type is 415 at %s', async (path) => {
    const headers = { 'content-type': 'text/plain', authorization: `Bearer ${agent}` };
    expectProblem(await broker.send(path, { method: 'POST', body: '{}', headers }), 415, 'unsupported_media_type');
  });

  it('of more than 64 KiB is 413, in the format of its endpoint', async () => {
    const large = await broker.form('/token', { ...exchangeForm(agent), padding: 'x'.repeat(65_536) });
    expectOAuthRefusal(large, 413, 'payload_too_large');
    expectProblem(await broker.post('/tasks', `"${'x'.repeat(65_536)}"`, agent), 413, 'payload_too_large');
  });

  it('is taken up to the last byte of its bound, whether it says its length or not', async () => {
    for (const [bytes, status] of [
      [1_024, 401],
      [1_025, 413],
    ] as const)
      for (const body of ['x'.repeat(bytes), new Blob(['x'.repeat(bytes)]).stream()]) {
        const reply = await broker.send('/tasks/x/resume', { method: 'POST', body, duplex: 'half' });
        expect([bytes, reply.status]).toEqual([bytes, status]);
      }
  });

  it('that is compressed is 415: a few bytes must not become gigabytes', async () => {
    const body = gzipSync(new URLSearchParams(exchangeForm(agent)).toString());
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' };
    expectOAuthRefusal(await broker.send('/token', { method: 'POST', body, headers }), 415, 'unsupported_media_type');
  });

  it('that is not UTF-8 is 400', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = Buffer.from([0x61, 0x3d, 0xff, 0xfe]);
    expectOAuthRefusal(await broker.send('/token', { method: 'POST', body, headers }), 400, 'invalid_request', /UTF-8/);
  });
});

describe('X-Request-ID', () => {
  it('is the one sent, when it is harmless', async () => {
    const reply = await broker.get('/jwks', undefined, { 'x-request-id': 'trace-1.a_b~c' });
    expect(reply.headers.get('x-request-id')).toBe('trace-1.a_b~c');
  });

  it.each(['a b', 'x'.repeat(65), '"><script>', 'a:b', 'é'])('is a new one instead of %s', async (sent) => {
    const reply = await broker.get('/jwks', undefined, { 'x-request-id': sent });
    expect(reply.headers.get('x-request-id')).toMatch(/^req_[0-9a-f-]{36}$/);
  });
});

describe('every answer', () => {
  it('keeps quiet about what serves it, and cannot be framed, sniffed or kept', async () => {
    const { headers } = await broker.exchange(agent);
    const always = {
      'cache-control': 'no-store',
      connection: expect.any(String),
      'content-length': expect.any(String),
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'content-type': expect.stringMatching(/^application\/(problem\+)?json/),
      'cross-origin-resource-policy': 'same-origin',
      date: expect.any(String),
      'keep-alive': expect.any(String),
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'x-request-id': expect.any(String),
    };
    expect(Object.fromEntries(headers)).toEqual(always);
    expect(Object.fromEntries((await broker.get('/nowhere')).headers)).toEqual(always);
  });

  it('lets no origin of a browser read it', async () => {
    const reply = await broker.get('/jwks', undefined, { origin: 'https://evil.example' });
    expect([...reply.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

it('bytes that are no HTTP are closed on, and the broker lives on', async () => {
  const socket = connect(Number(new URL(broker.url).port), '127.0.0.1');
  socket.write('\x16\x03\x01 hello\r\n\r\n');
  socket.resume();
  await once(socket, 'close');
  expect((await broker.get('/jwks')).status).toBe(200);
});
