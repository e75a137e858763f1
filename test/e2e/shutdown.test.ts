/** SIGTERM: the broker is not ready, then takes nothing new, finishes what is in flight, ends by itself, and its log is whole. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { exchangeForm } from '../support/calls.js';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { until } from '../support/until.js';

/** A request of which the last byte is still to come. */
async function begun(broker: BrokerProcess): Promise<{ socket: Socket; finish(): Promise<string> }> {
  const body = new URLSearchParams(exchangeForm(await broker.identity('agent-7'))).toString();
  const socket = connect(Number(new URL(broker.url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (text) => (answer += String(text))).on('error', () => undefined);
  await once(socket, 'connect');
  const head = `POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}`;
  socket.write(`${head}\r\nExpect: 100-continue\r\n\r\n${body.slice(0, -1)}`);
  await until(() => answer.includes('100 Continue'), 'the request was not taken up');
  return {
    socket,
    async finish() {
      socket.write(body.slice(-1));
      await until(() => answer.includes('}') || socket.destroyed, 'no answer');
      return answer;
    },
  };
}

const takesNothing = (broker: BrokerProcess) =>
  until(
    () =>
      broker.get('/jwks').then(
        () => false,
        () => true,
      ),
    'it still takes connections',
  );

it('finishes what is in flight, though it takes nothing new, and ends with 0', async () => {
  const broker = await startProcess();
  const requests = await Promise.all([begun(broker), begun(broker), begun(broker)]);
  broker.signal('SIGTERM');
  await takesNothing(broker);
  for (const request of requests) expect(await request.finish()).toMatch(/HTTP\/1\.1 200 OK[^]*"access_token"/);
  expect(await broker.ended()).toBe(0);
  expect(broker.output()).not.toContain('"level":"error"');
});

it('a second signal ends it at once, and its store opens again with everything that was acknowledged', async () => {
  const broker = await startProcess();
  const { body } = await broker.exchange(await broker.identity('agent-7'));
  const { socket } = await begun(broker);
  broker.signal('SIGTERM');
  await takesNothing(broker);
  broker.signal('SIGINT');
  expect(await broker.ended()).toBe(1);
  socket.destroy();
  await broker.start();
  const { access_token: token } = body as { access_token: string };
  expect((await broker.introspect(token, await broker.identity('tickets-api'))).body).toMatchObject({ active: true });
});

it('is first not ready, and still answers, so that a load balancer can find out before anything is refused', async () => {
  const broker = await startProcess({ config: { drainSeconds: 3 } });
  broker.signal('SIGTERM');
  await until(async () => !(await broker.isReady()), 'it is still ready');
  const { status, headers } = await broker.exchange(await broker.identity('agent-7'));
  expect([status, headers.get('connection')]).toEqual([200, 'close']);
  expect(await broker.ended()).toBe(0);
  const lines = broker.output().trimEnd().split('\n');
  const said = lines.map((line) => JSON.parse(line) as { msg: string; failing?: object });
  const readiness = said.filter(({ msg }) => /^(not )?ready$/.test(msg));
  expect(readiness.map(({ msg, failing }) => [msg, failing])).toEqual([
    ['ready', undefined],
    ['not ready', { running: 'the broker is shutting down' }],
  ]);
});

/** A process that logs, by the module of the broker. */
const logging = (script: string) => {
  const module = JSON.stringify(resolve('dist/src/telemetry/log.js'));
  const whole = `import { createLogger } from ${module}; const log = createLogger({ level: 'info' }); ${script}`;
  return spawn(process.execPath, ['--input-type=module', '--eval', whole]);
};

it('a line is written soon though nothing follows it, also after a reader that hung; and one before a crash is not lost', async () => {
  const child = logging(`
    for (let n = 0; n < 300; n += 1) log.info({ text: 'x'.repeat(1000) }, 'line');
    setTimeout(() => log.info('tail'), 100);
    setTimeout(() => process.stderr.write('nobody has read'), 300);
    process.stdin.once('data', () => {
      log.info('last');
      throw new Error('a crash');
    });`);
  await once(child.stderr, 'data');
  let output = '';
  child.stdout.on('data', (text) => (output += String(text)));
  await until(() => output.includes('"msg":"tail"'), 'the line waits for another one');
  child.stdin.write('crash');
  await once(child, 'close');
  expect(output).toContain('"msg":"last"');
});

it('a reader of standard output that hangs holds up nothing: lines wait, then are dropped and counted; an exit writes the rest', async () => {
  const child = logging(`
    for (let n = 0; n < 12000; n += 1) log.info({ text: 'x'.repeat(1000) }, 'line');
    process.stderr.write('goes on');
    process.stdin.once('data', () => (log.info('last'), process.exit(0)));`);
  await once(child.stderr, 'data'); // It was never read until here.
  let output = '';
  child.stdout.on('data', (text) => (output += String(text)));
  await until(() => output.includes('"dropped":'), 'nothing was said of dropped lines');
  child.stdin.write('end');
  await once(child, 'close');
  const lines = output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; dropped?: number });
  const dropped = lines.reduce((sum, line) => sum + (line.dropped ?? 0), 0);
  expect(lines.filter(({ msg }) => msg === 'line').length + dropped).toBe(12_000);
  expect(lines.at(-1)?.msg).toBe('last');
});
