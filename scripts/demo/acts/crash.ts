/** kill -9 while the broker mints: nothing that was acknowledged is lost, nothing that was ended is alive again. Returns what was acknowledged. */
import { DEAD, issuedSchema, receiptSchema, receiptsSchema, taskSchema } from '../answers.js';
import { good, refusal } from '../http.js';
import { inParallel } from '../in-parallel.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { expectThat } from '../unexpected.js';
import type { CompletedTask } from './one-task.js';

const KILLED_AFTER = 50;
const AGENTS = 8;
const AT_ONCE = 32;

export async function crashAct(
  stage: Stage,
  tell: Transcript,
  { completed, dead }: { completed: CompletedTask; dead: string[] },
): Promise<string[]> {
  const { broker } = stage;
  const [soc, orchestrator, rogue] = await Promise.all(['soc', 'orchestrator', 'rogue'].map(stage.identity));
  const wish = { scope: 'incident/4711:read', purpose: 'live through a crash' };
  const alive: string[] = [];
  let receipts = '';
  tell.act('kill -9');

  await tell.step('SOC holds the workload rogue, which has never called', async () => {
    const json = { selector: { kind: 'workload', value: 'lab:rogue' }, reason: 'suspicious', unseen: true };
    const { seq } = good(await stage.ask('/revocations', { bearer: soc ?? '', json }), receiptSchema);
    receipts = await receiptsInForce(stage, soc ?? '');
    return `entry ${seq}`;
  });
  await tell.step(`the broker is killed while ${AGENTS} agents ask for credentials`, async () => {
    await mintUntilKilled(stage, wish, alive);
    return `${alive.length} credentials were handed out before`;
  });
  await tell.step('while it is gone the API refuses', async () =>
    refusal(await stage.tickets('GET', 'incident/4711', alive[0] ?? ''), 'temporarily_unavailable'),
  );
  await tell.step('it is started again, and ready', async () => {
    await broker.start();
    return undefined;
  });
  await tell.step('nothing is lost: every credential handed out is known and alive', async () => {
    const answers = await inParallel(alive, AT_ONCE, (token) => stage.introspect(token));
    const lost = answers.filter((answer) => !answer.startsWith('{"active":true')).length;
    expectThat(lost === 0, 'none lost', `${lost} lost`);
    const { status } = await stage.tickets('GET', 'incident/4711', alive[0] ?? '');
    expectThat(status === 200, 'HTTP 200', status);
    return `${alive.length} of ${alive.length}; the API takes them`;
  });
  await tell.step('nothing has risen: completed, expired, revoked and leaked are dead', async () => {
    const tokens = [completed.token, ...dead];
    const risen = (await inParallel(tokens, AT_ONCE, stage.introspect)).filter((answer) => answer !== DEAD).length;
    expectThat(risen === 0, 'none alive', `${risen} alive`);
    const { state } = good(await stage.ask(`/tasks/${completed.id}`, { bearer: orchestrator ?? '' }), taskSchema);
    expectThat(state === 'completed', 'the first task completed', state);
    return `${tokens.length.toLocaleString('en')} of ${tokens.length.toLocaleString('en')}; the first task is ${state}`;
  });
  await tell.step('the hold on rogue still holds, and every receipt is there', async () => {
    const now = await receiptsInForce(stage, soc ?? '');
    expectThat(now === receipts, receipts, now);
    return refusal(await stage.exchange(rogue ?? '', wish), 'access_denied');
  });
  return alive;
}

/** Agents request credentials as fast as they can; meanwhile the broker is killed. Only what was answered counts. */
async function mintUntilKilled(stage: Stage, wish: { scope: string; purpose: string }, alive: string[]): Promise<void> {
  let killing: Promise<void> | undefined;
  const agents = Array.from({ length: AGENTS }, (_, index) => `agent-${index + 10}`);
  await inParallel(agents, AGENTS, async (name) => {
    const identity = await stage.identity(name);
    for (;;) {
      const reply = await stage.exchange(identity, wish).catch((error: unknown) => {
        if (killing) return undefined;
        throw error;
      });
      if (!reply) return;
      alive.push(good(reply, issuedSchema).access_token);
      if (alive.length >= KILLED_AFTER) killing ??= stage.broker.kill();
    }
  });
  await killing;
}

async function receiptsInForce(stage: Stage, bearer: string): Promise<string> {
  const { revocations } = good(await stage.ask('/revocations', { bearer }), receiptsSchema);
  return revocations.map(({ seq, effect, liftedBy }) => `${seq} ${effect} ${liftedBy ?? 'in force'}`).join(', ');
}
