/** What became of two sessions: the one that was denied, over a kill -9 of the broker, and one that nobody ended. */
import { setTimeout as pause } from 'node:timers/promises';
import { endOf, minutesLeft, reads, type Session } from '../aws-session.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { expectThat } from '../unexpected.js';

const PATIENCE_MS = 40_000;
const OBJECT = 'tenant-42/contract.txt';

export async function awsDeadlineAct(
  stage: Stage,
  tell: Transcript,
  { denied, brief }: { denied: Session; brief: Session },
): Promise<void> {
  tell.act('An AWS session that nobody ends');

  await tell.step('the denied one: SOC asks again', async () => {
    const effect = await settled(stage, denied);
    return `${effect}, though the broker was killed in between; AWS says ${await reads(stage, denied, OBJECT, 403)}`;
  });
  tell.line(`   Another one agent-8 has had since the beginning, for half a minute: to ${brief.keys.Expiration}.`);
  await tell.step('it dies by itself', async () => {
    const until = performance.now() + PATIENCE_MS;
    while ((await stage.aws.read(brief.keys, OBJECT)).status === 200 && performance.now() < until) await pause(100);
    const answer = await reads(stage, brief, OBJECT, 403);
    const lateSeconds = (Date.now() - Date.parse(brief.keys.Expiration)) / 1000;
    expectThat(lateSeconds >= 0, 'an end at the deadline', `one ${-lateSeconds} s before`);
    expectThat(!stage.aws.denyPolicy().includes(brief.taskId.slice(4)), 'no line about it in IAM', 'one');
    return [
      `${answer}, although by AWS's own count it has ${minutesLeft(stage, brief)} minutes left`,
      'it was born with a Deny from that second on: nothing was written, nobody had to do anything',
    ];
  });
}

async function settled(stage: Stage, session: Session): Promise<string> {
  const until = performance.now() + PATIENCE_MS;
  let { effect } = (await endOf(stage, session)).end;
  while (effect === 'written' && performance.now() < until) {
    await pause(200);
    ({ effect } = (await endOf(stage, session)).end);
  }
  expectThat(effect === 'effective', 'effective', effect);
  return effect;
}
