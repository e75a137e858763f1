/**
 * Whoever has stolen a credential, and nothing else, can ask by it at the endpoint for AWS SDKs. People are not asked in the name of its
 * workload then: they would be told that the workload wants something, and the workload could ask nothing more itself.
 */
import { beforeAll, expect, it } from '@jest/globals';
import { answerAt } from '../support/approvals/written-answer.js';
import { BUCKET, details, ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';
import type { Reply } from '../support/calls.js';

const ASKS = `
@id("sessions-ask") @approval("sre-oncall")
forbid (principal, action in Action::"access", resource in Target::"${ROLE}")
  unless { context.approvals.contains("sre-oncall") };`;

interface Token {
  access_token: string;
  task_id: string;
}

let broker: AwsBroker;
let agent: string;
let stolen: Token;
beforeAll(async () => {
  broker = await startAwsBroker({ policies: ASKS, config: { approvals: { pendingPerWorkload: 2 } } });
  agent = await broker.identity('agent-7');
  const endpoint = { resource: `${broker.url}/aws/credentials`, scope: `${ROLE}:execute` };
  stolen = (await broker.exchange(agent, endpoint)).body as Token;
});

const ask = (authorization: string, tenant: string): Promise<Reply> => {
  const query = { task: stolen.task_id, authorization_details: details(`${BUCKET}/${tenant}/*`) };
  const path = `/aws/credentials/${encodeURIComponent(ROLE)}?${String(new URLSearchParams(query))}`;
  return broker.send(path, { headers: { authorization } });
};

async function asked(): Promise<{ approval: { id: string } }[]> {
  const { body } = await broker.get('/audit?type=approval.requested', await broker.identity('soc'));
  return (body as { lines: string[] }).lines.map((line) => JSON.parse(line) as { approval: { id: string } });
}

it('a credential alone asks nobody, and leaves the workload all that it may ask', async () => {
  for (let tenant = 0; tenant < 6; tenant += 1) {
    const reply = await ask(stolen.access_token, `tenant-${tenant}`);
    expect(reply.body).toMatchObject({
      code: 'access_denied',
      message: expect.stringMatching(/^People must agree to this first, and a credential alone asks nobody: /),
    });
    expect(reply.status).toBe(403);
  }
  expect(await asked()).toEqual([]);
  for (const tenant of ['tenant-1', 'tenant-2']) {
    const { body } = await ask(agent, tenant);
    expect(body).toMatchObject({ code: 'access_denied', message: expect.stringMatching(/and they are asked/) });
  }
  expect(await asked()).toHaveLength(2);
});

it('what its workload has asked is granted to it too, once people have agreed', async () => {
  const [question] = await asked();
  expect((await ask(stolen.access_token, 'tenant-1')).body).toMatchObject({
    message: expect.stringMatching(/and they are asked/),
  });
  await answerAt(broker, question?.approval.id ?? '', { by: { kind: 'person', id: 'staff:bo', issuer: 'staff' } });
  expect((await ask(stolen.access_token, 'tenant-1')).status).toBe(200);
});
