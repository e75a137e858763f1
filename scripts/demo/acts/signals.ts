/** The EDR reports that agent-7 is at risk, and it is stopped; two false alarms are held back. Returns the token that was ended. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEAD, issuedSchema, receiptSchema } from '../answers.js';
import { good, refusal } from '../http.js';
import { CLI } from '../places.js';
import type { Stage } from '../stage.js';
import { evaluated, push, signalSchema } from '../told-signal.js';
import type { Transcript } from '../transcript.js';
import { expectThat } from '../unexpected.js';

const PATIENCE_MS = 10_000;
const WISH = { scope: 'incident/4711:read', purpose: 'watch incident 4711' };

export async function signalsAct(stage: Stage, tell: Transcript): Promise<string> {
  tell.act('A signal, and two false alarms');
  const stopped = await highRisk(stage, tell);
  await falseAlarms(stage, tell);
  return stopped;
}

async function highRisk(stage: Stage, tell: Transcript): Promise<string> {
  const bearer = await stage.identity('soc');
  const agent = await stage.identity('agent-7');
  let [token, task] = ['', ''];

  await tell.step('agent-7 works on a task', async () => {
    ({ access_token: token, task_id: task } = good(await stage.exchange(agent, WISH), issuedSchema));
    const { status } = await stage.tickets('GET', 'incident/4711', token);
    expectThat(status === 200, 'HTTP 200', status);
    return `${token}   alive, under task ${task}`;
  });
  await tell.step('the EDR pushes a signed event: the risk of agent-7 is HIGH', async () => {
    const facts = { current_level: 'HIGH', reason_admin: { en: 'unknown program on its host' } };
    await push(stage, 'agent-7', 'caep/event-type/risk-level-change', facts);
    const since = performance.now();
    await untilDead(stage, token);
    return `202; its credential is dead ${Math.round(performance.now() - since)} ms later, and nobody was asked`;
  });
  await tell.step('the identity of agent-7 is still valid: refused all the same', async () => {
    const sentence = refusal(await stage.exchange(agent, WISH), 'access_denied');
    expectThat(sentence.includes('after-lift'), 'a refusal until the hold is lifted', sentence);
    return sentence;
  });
  let seq: number | undefined;
  await tell.step('SOC asks what happened: mayfly timeline', async () => {
    ({ seq } = (await evaluated(stage, 'agent-7', 'reacted')).reaction ?? {});
    return timeline(stage, bearer, task);
  });
  await tell.step('SOC has looked at the host, and lifts the hold; agent-7 works again', async () => {
    const lifted = await stage.ask(`/revocations/${seq}`, { method: 'DELETE', bearer });
    const { liftedBy } = good(lifted, receiptSchema);
    await mint(stage, agent);
    return `entry ${liftedBy}; what died stays dead`;
  });
  return token;
}

async function falseAlarms(stage: Stage, tell: Transcript): Promise<void> {
  let [alarm, token] = ['', ''];

  await tell.step("a false alarm: builder's device is bad, and only the EDR says so", async () => {
    token = await mint(stage, await stage.identity('builder'));
    await push(stage, 'builder', 'caep/event-type/device-compliance-change', { current_status: 'not-compliant' });
    const { state, reaction } = await evaluated(stage, 'builder', 'waiting');
    return [`${state}, by rule ${reaction?.rule}: ${reaction?.because}`, await alive(stage, 'builder', token)];
  });
  await tell.step(
    "another: deployer's secret is out, and a rule that is too wide would stop all agents of lab",
    async () => {
      token = await mint(stage, await stage.identity('deployer'));
      await push(stage, 'deployer', 'risc/event-type/credential-compromise', { credential_type: 'x509' });
      const { id, state, reaction } = await evaluated(stage, 'deployer', 'pending');
      alarm = id;
      return [`${state}, by rule ${reaction?.rule}: ${reaction?.because}`, await alive(stage, 'deployer', token)];
    },
  );
  await tell.step('SOC knows of an exercise, and dismisses it', async () => {
    const asking = { bearer: await stage.identity('soc'), json: { reason: 'exercise of the red team' } };
    const { state } = good(await stage.ask(`/signals/${alarm}/dismiss`, asking), signalSchema);
    expectThat(state === 'dismissed', 'dismissed', state);
    return `${state}; ${await alive(stage, 'deployer', token)}`;
  });
}

const mint = async (stage: Stage, identity: string): Promise<string> =>
  good(await stage.exchange(identity, WISH), issuedSchema).access_token;

async function untilDead(stage: Stage, token: string): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  let answer = await stage.introspect(token);
  while (answer !== DEAD && performance.now() < until) answer = await stage.introspect(token);
  expectThat(answer === DEAD, DEAD, answer);
}

async function alive(stage: Stage, agent: string, token: string): Promise<string> {
  const answer = await stage.introspect(token);
  expectThat(answer.startsWith('{"active":true'), 'a live credential', answer);
  return `nothing of ${agent} has died`;
}

/** As SOC sees it in a terminal, with narrower columns. */
function timeline({ broker, directory }: Stage, identity: string, task: string): string[] {
  const file = join(directory, 'soc.token');
  writeFileSync(file, identity, { mode: 0o600 });
  const args = [CLI, 'timeline', '--task', task, '--broker', broker.url, '--token-file', file];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expectThat(status === 0, 'exit code 0', `${status}: ${stderr}`);
  expectThat(/reacted by risk-is-high .hold of workload lab:agent-7/.test(stdout), 'what the rule has done', stdout);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().replaceAll(/ {2,}/g, '  '));
}
