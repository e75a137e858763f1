/** What callers choose and answers carry: X-Request-ID, in headers, bodies and logs. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeAll, expect, it } from '@jest/globals';
import { startBroker, type TestBroker } from '../support/brokers/http.js';

let broker: TestBroker;
beforeAll(async () => (broker = await startBroker()));

async function raw(lines: string[]): Promise<string> {
  const socket = connect(Number(new URL(broker.url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (bytes) => (answer += String(bytes))).on('error', () => undefined);
  socket.write(['GET /tasks/x HTTP/1.1', 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n'));
  await once(socket, 'close');
  return answer;
}

it.each([
  'X-Request-ID: a\x00b',
  'X-Request-ID: a\x0bSet-Cookie: x=1',
  'X-Request-ID: a\r\n Set-Cookie: x=1', // a folded line
  'X-Request-ID: %0d%0aSet-Cookie:%20x=1',
  'X-Request-ID: "},{"level":"error"',
  'X-Request-ID: \x1b[31mred',
  `X-Request-ID: ${'x'.repeat(65)}`,
  'X-Request-ID: a, b',
  'X-Request-ID: a\r\nX-Request-ID: b',
])('%j is not repeated to anybody', async (line) => {
  const answer = await raw([line]);
  expect(answer).toMatch(/^HTTP\/1\.1 40[01] /);
  expect(answer).not.toMatch(/set-cookie/i);
  for (const [, id = ''] of answer.matchAll(/^X-Request-ID: (.*)\r$/gim)) expect(id).toMatch(/^req_[0-9a-f-]{36}$/);
  for (const logged of broker.logged().trimEnd().split('\n')) expect(() => JSON.parse(logged) as unknown).not.toThrow();
  expect(broker.logged()).not.toMatch(/Set-Cookie|\[31m|\{\\"level/);
});

it('a Host header and forwarding headers change nothing of what is answered', async () => {
  const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' };
  const plain = await broker.get('/.well-known/oauth-authorization-server');
  expect((await broker.get('/.well-known/oauth-authorization-server', undefined, headers)).text).toBe(plain.text);
  expect(await raw(['X-Original-URL: /metrics', 'X-HTTP-Method-Override: DELETE'])).toMatch(/^HTTP\/1\.1 401 /);
});
