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
    ['/tasks', 'POST'],
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
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('etag')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
    expect(headers.get('strict-transport-security')).toMatch(/^max-age=/);
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
