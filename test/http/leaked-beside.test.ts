/** A log that has leaked has deferral codes beside the credential that one of them has led to. The credential dies all the same. */
import { expect, it } from '@jest/globals';
import { answerAt } from '../support/approvals/written-answer.js';
import { startBroker } from '../support/brokers/http.js';

const BY = { kind: 'person', id: 'staff:bo', issuer: 'staff' } as const;

it('codes by which nothing more is granted do not keep a credential alive that has leaked with them', async () => {
  const broker = await startBroker();
  const agent = await broker.identity('agent', { exp: 4_000_000_000 });
  const asked = async (incident: number) => {
    const wish = { scope: `incident/${incident}:export`, completion_mode: 'deferred' };
    return (await broker.exchange(agent, wish)).body as Record<'deferral_code' | 'approval_id' | 'task_id', string>;
  };
  const [used, refused, over] = [await asked(1), await asked(2), await asked(3)];
  await answerAt(broker, used.approval_id, { by: BY });
  await answerAt(broker, refused.approval_id, { by: BY, says: 'deny' });
  await broker.post(`/tasks/${over.task_id}/complete`, { outcome: 'completed' }, agent);
  const { body } = await broker.form('/token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:deferred',
    deferral_code: used.deferral_code,
    client_assertion: agent,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  });
  const { access_token: token } = body as { access_token: string };

  const codes = [used, refused, over].map(({ deferral_code: code }) => code);
  const leaked = `400 ${codes.join(' ')}\n200 {"access_token":"${token}"}`;
  const soc = await broker.identity('soc');
  const reply = await broker.post('/revocations', { leaked, reason: 'in a log' }, soc);
  expect(reply.body).toMatchObject({ selector: { kind: 'credential' }, effect: 'end' });
  const { value: id } = (reply.body as { selector: { value: string } }).selector;
  expect((await broker.get(`/credentials/${id}`, soc)).body).toMatchObject({ state: 'ended' });
});
