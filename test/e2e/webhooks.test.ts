/** Webhooks of real brokers: killed in the middle of a delivery, and two of them on one Redis. */
import { expect, it } from '@jest/globals';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { startReceiver, type Receiver } from '../support/receiver.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

async function hold(broker: BrokerProcess, sub: string): Promise<void> {
  const body = { selector: { kind: 'workload', value: `lab:${sub}` }, reason: 'odd', unseen: true };
  const { status } = await broker.post('/revocations', body, await broker.identity('soc'));
  expect(status).toBe(200);
}

const subjects = ({ received }: Receiver) => received.map(({ event }) => event.subject);
const told = (receiver: Receiver, subject: string) => () => subjects(receiver).includes(subject);

it('a broker that is killed between a delivery and its record delivers again, under the same id, and loses none', async () => {
  const receiver = await startReceiver();
  const broker = await startProcess({ config: { notify: [{ name: 'siem', url: receiver.url }] } });
  let killed: Promise<void> | undefined;
  receiver.answer((response) => {
    killed = broker.kill().then(() => void response.writeHead(204).end());
  });
  await hold(broker, 'a');
  await until(() => killed !== undefined, 'nothing was delivered');
  await killed;
  await broker.start();
  await hold(broker, 'b');
  await until(told(receiver, 'workload:lab:b'), 'what came after is not delivered');
  expect(subjects(receiver)).toEqual(['workload:lab:a', 'workload:lab:a', 'workload:lab:b']);
  expect(receiver.ids()[0]).toBe(receiver.ids()[1]);
});

it('two brokers deliver each event once, whichever of them it happened at', async () => {
  const [receiver, redis] = [await startReceiver(), await startRedis()];
  const config = { store: redis.url, notify: [{ name: 'siem', url: receiver.url }] };
  const key = { MAYFLY_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64') };
  const one = await startProcess({ config, env: key });
  const two = await startProcess({ config, env: key, like: one });
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const [index, name] of names.entries()) await hold(index % 2 === 0 ? one : two, name);
  await until(told(receiver, 'workload:lab:f'), 'not all was delivered');
  expect(subjects(receiver)).toEqual(names.map((name) => `workload:lab:${name}`));
});
