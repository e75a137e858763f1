/** The agent of a person hands less than it has on to a second agent. The end of its task is the end of both. Returns the tokens. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { decodeJwt } from 'jose';
import { completedSchema, DEAD, issuedSchema } from '../answers.js';
import { good, refusal } from '../http.js';
import { CLI } from '../places.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { expectThat } from '../unexpected.js';

const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const READS_ALL = 'incident/*:read';
const READS_ONE = 'incident/4711:read';
const CHAIN = { sub: 'staff:ada', act: { sub: 'lab:researcher', act: { sub: 'lab:assistant' } } };

export async function handingOnAct(stage: Stage, tell: Transcript): Promise<string[]> {
  const [assistant, researcher] = [await stage.identity('assistant'), await stage.identity('researcher')];
  const actor = (identity: string) => ({ actor_token: identity, actor_token_type: `${TOKEN_TYPE}:jwt` });
  const shown = { subject_token_type: `${TOKEN_TYPE}:access_token` };
  let [root, first, narrow, below, second] = ['', '', '', '', ''];
  tell.act('An agent hands on to another');

  await tell.step('assistant shows the token of ada, and gets a credential for her incidents', async () => {
    const wish = { scope: READS_ALL, purpose: 'answer ada', ...actor(assistant) };
    const issued = good(await stage.exchange(await stage.person('ada'), wish), issuedSchema);
    [root, first] = [issued.task_id, issued.access_token];
    return `${first}   ${issued.scope}, under task ${root}`;
  });
  await tell.step('it narrows that to one incident, before it lets it out of its hands', async () => {
    const form = { grant_type: EXCHANGE, subject_token: first, ...shown, scope: READS_ONE };
    const issued = good(await stage.ask('/token', { form, bearer: assistant }), issuedSchema);
    narrow = issued.access_token;
    return `${narrow}   ${issued.scope}, under task ${issued.task_id}`;
  });
  await tell.step('it hands the narrow one on to researcher, which gets a credential of its own', async () => {
    const issued = good(
      await stage.exchange(narrow, { ...shown, scope: READS_ONE, ...actor(researcher) }),
      issuedSchema,
    );
    [below, second] = [issued.task_id, issued.access_token];
    const { sub, act } = decodeJwt<{ act?: object }>(second);
    const said = JSON.stringify({ sub, act });
    expectThat(said === JSON.stringify(CHAIN), JSON.stringify(CHAIN), said);
    return [`${second}   ${issued.scope}`, `researcher acts, before it assistant, for ada: ${said}`];
  });
  await tell.step('researcher reads the one incident with its own, and no other', async () => {
    const { status, text } = await stage.tickets('GET', 'incident/4711', second);
    expectThat(status === 200, 'HTTP 200', `${status} ${text}`);
    return [text, refusal(await stage.tickets('GET', 'incident/4712', second), 'insufficient_scope')];
  });
  await tell.step('it asks the broker for another under its own task: refused, for that was not handed on', async () =>
    refusal(await stage.exchange(researcher, { task_id: below, scope: 'incident/4712:read' }), 'invalid_scope'),
  );
  await tell.step('mayfly tree, as the orchestrator sees it', () => tree(stage, root));
  await tell.step('the task of assistant is completed: all below is dead at the API at once', async () => {
    const bearer = await stage.identity('orchestrator');
    const reply = await stage.ask(`/tasks/${root}/complete`, { bearer, json: { outcome: 'completed' } });
    good(reply, completedSchema);
    const answers = await Promise.all([first, narrow, second].map(stage.introspect));
    expectThat(
      answers.every((answer) => answer === DEAD),
      DEAD,
      answers.join(' '),
    );
    const refusals = await Promise.all(
      [first, narrow, second].map((token) => stage.tickets('GET', 'incident/4711', token)),
    );
    return refusals.map((one) => refusal(one, 'invalid_token'));
  });
  await tell.step('mayfly tree, once more', () => tree(stage, root));
  return [first, narrow, second];
}

/** What is drawn, without the advice below it. */
async function tree({ broker, identity }: Stage, task: string): Promise<string[]> {
  const env = { MAYFLY_BROKER: broker.url, MAYFLY_TOKEN: await identity('orchestrator') };
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'tree', task], { env });
  return stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line.includes('tsk_'));
}
