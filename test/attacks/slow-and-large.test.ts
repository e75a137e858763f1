/** Requests made to keep the broker busy: too large, never finished, or full of what is slow to read. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeAll, expect, it } from '@jest/globals';
import { exchangeForm } from '../support/calls.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';

let broker: TestBroker;
let agent: string;
beforeAll(async () => {
  broker = await startBroker();
  agent = await broker.identity('agent-7');
});
const works = async () => expect((await broker.exchange(agent)).status).toBe(200);
const dial = async (text: string) => {
  const socket = connect(Number(new URL(broker.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined).write(text);
  return socket;
};

it('a body of more than 64 KiB is refused, whether it says so or not', async () => {
  expectOAuthRefusal(await broker.exchange(agent, { padding: 'x'.repeat(65_536) }), 413, 'payload_too_large');
  const socket = await dial('POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  let answer = '';
  socket.on('data', (bytes) => (answer += String(bytes)));
  for (let chunk = 0; chunk < 9; chunk += 1) socket.write(`2000\r\n${'x'.repeat(0x2000)}\r\n`);
  socket.write('0\r\n\r\n');
  await once(socket, 'data');
  socket.destroy();
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  await works();
});

it('an identity token of more than 16 KiB is refused before it is read', async () => {
  expectOAuthRefusal(await broker.exchange(`eyJ${'x'.repeat(17_000)}`), 400, 'invalid_request', /16 KiB/);
});

it('clients that never finish keep nobody else waiting', async () => {
  const head =
    'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 999\r\n\r\n';
  const sockets = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      dial([head, 'POST /token HTTP/1.1\r\nHost:', `${head}grant_type=`][n % 3] ?? ''),
    ),
  );
  await works();
  for (const socket of sockets) socket.destroy();
  await works();
});

it('a client that goes away in the middle leaves nothing behind', async () => {
  const body = new URLSearchParams(exchangeForm(agent)).toString();
  const socket = await dial(`POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`);
  socket.destroy();
  await works();
  expect(broker.logged()).not.toContain('"level":"error"');
});

it.each([
  ['parameters', Array.from({ length: 8_000 }, (_, n) => `p${n}=1`).join('&')],
  ['the same parameter', 'scope=x&'.repeat(6_000)],
  ['percent signs', '%'.repeat(60_000)],
  ['encoded bytes', `scope=${'%41'.repeat(20_000)}`],
  ['spaces in a scope', `scope=${'+'.repeat(60_000)}`],
  ['colons in a scope', `scope=${':'.repeat(60_000)}`],
  ['slashes in a scope', `scope=${'/'.repeat(60_000)}:read`],
  ['quotation marks', `authorization_details=${'"'.repeat(60_000)}`],
  ['backslashes', `authorization_details=["${'\\'.repeat(60_000)}`],
])('a body full of %s is refused like any other', async (_, noise) => {
  const body = `${new URLSearchParams({ ...exchangeForm(agent), scope: '' }).toString()}&${noise}`.slice(0, 65_000);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const reply = await broker.send('/token', { method: 'POST', headers, body });
  expect([reply.status, reply.text.length < 1_000]).toEqual([400, true]);
});
