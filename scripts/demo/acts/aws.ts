/** A session of an AWS role, born for a task and denied when the task is done, long before AWS lets it expire. Returns the session. */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { ROLE, TENANT_42 } from '../aws-account.js';
import { endOf, minutesLeft, openSession, reads, type Session } from '../aws-session.js';
import { good } from '../http.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { expectThat } from '../unexpected.js';

const PATIENCE_MS = 30_000;
const MINE = 'tenant-42/contract.txt';
const THEIRS = 'tenant-43/contract.txt';

const effectSchema = z.object({ kind: z.string(), effect: z.string(), boundedBySeconds: z.number().optional() });
const completedSchema = z.object({ revocation: z.object({ seq: z.number(), effects: z.array(effectSchema) }) });

/** @param ready resolves when sessions of the role can be minted. */
export async function awsAct(stage: Stage, tell: Transcript, ready: Promise<unknown>): Promise<Session> {
  let session: Session | undefined;
  const mine = (): Session => {
    if (!session) throw new Error('no session yet');
    return session;
  };
  tell.act('A session of an AWS role');
  tell.line('   This demo uses no AWS account: STS, IAM and S3 are played by a loopback server.');
  tell.line("   AWS's SDK and the policies are real; their evaluation is ours.");

  await tell.step('the role is ready for sessions', async () => {
    await ready;
    return 'some ten seconds after a first start: whatever was issued before is cut off first, by its time of issue';
  });
  await tell.step('agent-7 asks for s3:GetObject on what tenant 42 has', async () => {
    session = await openSession(stage, 'agent-7', { purpose: 'compare the contracts of tenant 42', lifetime: '300' });
    const { AccessKeyId, Expiration } = session.keys;
    return [`${AccessKeyId}   ${TENANT_42}, until ${Expiration}`, `of ${ROLE}; no AWS key exists anywhere`];
  });
  await tell.step('reads an object with it', () => reads(stage, mine(), MINE, 200));
  await tell.step("another tenant's: refused by AWS", () => reads(stage, mine(), THEIRS, 403));
  await tell.step('the orchestrator completes the task', async () => {
    const bearer = await stage.identity('orchestrator');
    const asking = { bearer, json: { outcome: 'completed' } };
    const { revocation } = good(await stage.ask(`/tasks/${mine().taskId}/complete`, asking), completedSchema);
    const [told] = revocation.effects;
    expectThat(told?.effect === 'pending', 'a pending effect', told?.effect ?? 'none');
    return `entry ${revocation.seq}; at AWS it is ${told.effect}, bounded by ${told.boundedBySeconds} s`;
  });
  await tell.step('the same keys, a moment later: refused by AWS', () => deniedSoon(stage, mine()));
  await tell.step('SOC asks how far that has come', async () => {
    const { id, end } = await endOf(stage, mine());
    expectThat(end.effect === 'written', 'written', end.effect);
    return `${id}: ${end.effect}. IAM says of no write when it holds everywhere, so it counts as effective in 15 s`;
  });
  return mine();
}

async function deniedSoon(stage: Stage, session: Session): Promise<string[]> {
  const until = performance.now() + PATIENCE_MS;
  while ((await stage.aws.read(session.keys, MINE)).status === 200 && performance.now() < until) await pause(100);
  const answer = await reads(stage, session, MINE, 403);
  const policy = stage.aws.denyPolicy();
  const { Statement } = policySchema.parse(JSON.parse(policy));
  const statement = Statement.map((one) => JSON.stringify(one)).find((one) => one.includes(session.taskId.slice(4)));
  expectThat(statement !== undefined, 'a statement that names the task', policy);
  return [
    `${answer}, although by AWS's own count it has ${minutesLeft(stage, session)} minutes left`,
    `the role now has the inline policy JitRevocations, of ${policy.length} characters; in it`,
    statement,
  ];
}

const policySchema = z.object({ Statement: z.array(z.looseObject({})) });
