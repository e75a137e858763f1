/** /notifications: how far each webhook got its events, and which could not be delivered. */
import { expect, it } from '@jest/globals';
import { startBroker } from '../support/brokers/http.js';
import { startReceiver } from '../support/receiver.js';
import { expectProblem } from '../support/expect-refusal.js';

it('says how far each webhook is, what it fails at, and what was given up; never its URL', async () => {
  const receiver = await startReceiver();
  const config = { notify: [{ name: 'siem', url: receiver.url, giveUpSeconds: 600 }] };
  const broker = await startBroker({ config });
  const show = async () => broker.get('/notifications', await broker.identity('soc'));
  const hold = async (value: string) => {
    const body = { selector: { kind: 'workload', value }, reason: 'odd', unseen: true };
    await broker.post('/revocations', body, await broker.identity('soc'));
    await broker.work('audit');
  };
  const siem = { name: 'siem', types: ['revocation', 'signal'], toldUpTo: expect.any(Number), deadLetters: [] };
  expect((await show()).body).toEqual({ webhooks: [siem] });

  receiver.answer(503, 503);
  await hold('lab:a');
  await broker.work('notify');
  const failing = {
    seq: expect.any(Number),
    tries: 1,
    because: 'It answered 503.',
    behindSeconds: 0,
    retryAt: expect.stringMatching(/^2030-01-01T00:00:0[01]/),
  };
  expect((await show()).body).toEqual({ webhooks: [{ ...siem, failing }] });

  await broker.advance(600_000);
  await broker.work('fitness');
  await broker.work('notify');
  const { text, body } = await show();
  expect(body).toEqual({
    webhooks: [
      {
        ...siem,
        deadLetters: [
          {
            seq: expect.any(Number),
            id: receiver.ids()[0],
            type: 'revocation.published',
            tries: 2,
            because: 'It answered 503.',
            givenUpAt: '2030-01-01T00:10:00.000Z',
          },
        ],
      },
    ],
  });
  expect(text).not.toMatch(/127\.0\.0\.1|hook"/);
  await hold('lab:b');
  await broker.work('notify');
  expect(receiver.received.at(-1)?.event).toMatchObject({ subject: 'workload:lab:b', source: broker.url });
});

it('is for those whom policy lets read the audit log', async () => {
  const broker = await startBroker();
  expectProblem(await broker.get('/notifications', await broker.identity('agent-7')), 403, 'access_denied');
  expectProblem(await broker.get('/notifications'), 401, 'invalid_token');
  expectProblem(await broker.get('/notifications?name=x', await broker.identity('soc')), 400, 'invalid_request');
  expect((await broker.get('/notifications', await broker.identity('soc'))).body).toEqual({ webhooks: [] });
});
