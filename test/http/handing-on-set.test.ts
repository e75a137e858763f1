/** The set examples/policies/handing-on is enough for a broker: whoever begins with it can hand on. */
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { startBroker } from '../support/brokers/http.js';
import { handingOn, JWT } from '../support/handing-on.js';
import { writePolicies } from '../support/policy.js';

const SET = readFileSync('examples/policies/handing-on/policies.cedar', 'utf8').replaceAll('"corp:', '"lab:');

it('a planner works for a person, hands reading to a researcher, and nobody else gets anything', async () => {
  const policy = { engine: 'cedar', directory: writePolicies({ 'a.cedar': SET }) };
  const broker = await startBroker({ config: { policy } });
  const actor = async (sub: string) => ({ actor_token: await broker.identity(sub), actor_token_type: JWT });
  const scope = 'incident/4711:read';
  const planner = await broker.exchange(await broker.person('ada'), { scope, ...(await actor('planner')) });
  expect([planner.status, planner.text]).toEqual([200, expect.any(String)]);
  const { access_token: token } = planner.body as { access_token: string };

  const handed = await broker.exchange(token, handingOn(await broker.identity('researcher')));
  expect(handed).toMatchObject({ status: 200, body: { scope, expires_in: 120 } });

  const refused = { status: 400, body: { error: 'access_denied' } };
  expect(await broker.exchange(token, handingOn(await broker.identity('agent-7')))).toMatchObject(refused);
  expect(await broker.exchange(await broker.identity('researcher'), { scope })).toMatchObject(refused);
});
