/** A credential for "summarise incident 4711": born, used, kept to its limits, and dead when the task is done. */
import { completedSchema, issuedSchema } from '../answers.js';
import { good, refusal } from '../http.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { expectThat } from '../unexpected.js';

export interface CompletedTask {
  id: string;
  token: string;
}

export async function oneTaskAct(stage: Stage, tell: Transcript): Promise<CompletedTask> {
  const agent = await stage.identity('agent-7');
  const wish = { scope: 'incident/4711:read', purpose: 'summarise incident 4711' };
  let [id, token] = ['', ''];
  tell.act('A credential for one task');

  await tell.step('agent-7 exchanges its identity for a credential', async () => {
    const issued = good(await stage.exchange(agent, wish), issuedSchema);
    [id, token] = [issued.task_id, issued.access_token];
    expectThat(issued.scope === wish.scope, `the scope ${wish.scope}`, issued.scope);
    return [`${token}   ${issued.scope}, ${issued.expires_in} s`, `under task ${id}: ${wish.purpose}`];
  });
  await tell.step('reads the incident with it', async () => {
    const { status, text } = await stage.tickets('GET', 'incident/4711', token);
    expectThat(status === 200, 'HTTP 200', `${status} ${text}`);
    return text;
  });
  await tell.step('another incident: refused by the API', async () =>
    refusal(await stage.tickets('GET', 'incident/4712', token), 'insufficient_scope'),
  );
  await tell.step('another action: refused by the API', async () =>
    refusal(await stage.tickets('PUT', 'incident/4711', token), 'insufficient_scope'),
  );
  await tell.step('asks for more than policy allows: refused by the broker', async () => [
    refusal(await stage.exchange(agent, { ...wish, scope: 'customer/12:read' }), 'access_denied'),
    refusal(await stage.exchange(agent, { ...wish, scope: 'incident/4711:write' }), 'access_denied'),
  ]);
  await tell.step('the orchestrator completes the task', async () => {
    const bearer = await stage.identity('orchestrator');
    const reply = await stage.ask(`/tasks/${id}/complete`, { bearer, json: { outcome: 'completed' } });
    const { task, revocation } = good(reply, completedSchema);
    expectThat(task.state === 'completed', 'the state completed', task.state);
    return `entry ${revocation.seq} of the revocation log ends it, and all that hangs on it`;
  });
  await tell.step('the same credential, a moment later: refused by the API', async () =>
    refusal(await stage.tickets('GET', 'incident/4711', token), 'invalid_token'),
  );
  return { id, token };
}
