/** Nobody completes this task, and its deadline ends it. Returns the token that ended with it. */
import { setTimeout as pause } from 'node:timers/promises';
import { DEAD, issuedSchema, taskSchema } from '../answers.js';
import { good, refusal } from '../http.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { expectThat } from '../unexpected.js';

const DEADLINE_SECONDS = 3;
const PATIENCE_MS = 20_000;

export async function deadlineAct(stage: Stage, tell: Transcript): Promise<string> {
  const bearer = await stage.identity('orchestrator');
  const agent = await stage.identity('agent-7');
  let [id, token] = ['', ''];
  const wish = () => ({ scope: 'incident/4711:read', task_id: id });
  tell.act('A task that nobody completes');

  await tell.step(`the orchestrator opens a task for agent-7, ${DEADLINE_SECONDS} seconds long`, async () => {
    const json = { workload: 'lab:agent-7', purpose: 'watch the disk of db-3', deadlineSeconds: DEADLINE_SECONDS };
    const task = good(await stage.ask('/tasks', { bearer, json }), taskSchema, 201);
    id = task.id;
    return `task ${id}, deadline ${task.deadline}`;
  });
  await tell.step('agent-7 wants a credential under it for 300 seconds', async () => {
    const issued = good(await stage.exchange(agent, { ...wish(), lifetime: '300' }), issuedSchema);
    token = issued.access_token;
    expectThat(issued.expires_in <= DEADLINE_SECONDS, `at most ${DEADLINE_SECONDS} s`, `${issued.expires_in} s`);
    return `it gets ${issued.expires_in}: no credential outlives its task`;
  });
  await tell.step('nobody does anything, and the task is over', async () => {
    const until = performance.now() + PATIENCE_MS;
    let state = '';
    while (state !== 'expired' && performance.now() < until) {
      await pause(50);
      state = good(await stage.ask(`/tasks/${id}`, { bearer }), taskSchema).state;
    }
    expectThat(state === 'expired', 'the state expired', state);
    return `state ${state}`;
  });
  await tell.step('nothing more is born under it, and its credential is dead', async () => {
    const more = await stage.exchange(agent, wish());
    const answer = await stage.introspect(token);
    expectThat(answer === DEAD, DEAD, answer);
    return refusal(more, 'invalid_grant');
  });
  return token;
}
