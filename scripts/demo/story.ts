/** The story in its order: later acts check the broker against what earlier acts left behind. */
import { approvalAct } from './acts/approval.js';
import { auditAct } from './acts/audit.js';
import { awsAct } from './acts/aws.js';
import { awsDeadlineAct } from './acts/aws-deadline.js';
import { clientsAct } from './acts/clients.js';
import { crashAct } from './acts/crash.js';
import { deadlineAct } from './acts/deadline.js';
import { everywhereAct } from './acts/everywhere.js';
import { handingOnAct } from './acts/handing-on.js';
import { leakAct } from './acts/leak.js';
import { massRevocationAct } from './acts/mass-revocation.js';
import { oneTaskAct } from './acts/one-task.js';
import { signalsAct } from './acts/signals.js';
import { SESSION_SECONDS_LEAST } from '../../src/targets/aws.js';
import { openSession } from './aws-session.js';
import { onStage, type Stage } from './stage.js';
import type { Transcript } from './transcript.js';

const CAST = [
  [
    'agent-7',
    'an agent that works on one task; agent-8, fixer, assistant, researcher, importer, rogue and more are others',
  ],
  ['ada', 'a person, for whom assistant works'],
  ['orchestrator', 'opens and completes tasks'],
  ['the API', 'holds the incidents, and asks the broker whether a credential is alive'],
  ['the EDR', 'watches the machines that agents run on, and signs what it finds'],
  ['SOC', 'the security operations centre: previews and revokes, reads the audit log'],
] as const;

/** Returns the exit code. */
export async function tellStory(tell: Transcript, interrupted: Promise<unknown>): Promise<number> {
  const since = performance.now();
  tell.line(
    'Mayfly: a credential for one task, dead when the task is. Everything here is on loopback, and all but AWS is real.',
  );
  for (const [who, what] of CAST) tell.line(`   ${who.padEnd(13)} ${what}`);
  try {
    await onStage((stage) =>
      Promise.race([acts(stage, tell), interrupted.then(() => Promise.reject(new Error('interrupted')))]),
    );
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    tell.line(`\nAll ${tell.steps} steps did what they say, in ${seconds} s. Nothing is left running.\n`);
    return 0;
  } catch (error) {
    tell.line(
      `\nThe story did not end well after ${tell.steps} good steps: ${error instanceof Error ? error.message : 'failed'}\n`,
    );
    return 1;
  }
}

async function acts(stage: Stage, tell: Transcript): Promise<void> {
  const brief = openSession(stage, 'agent-8', {
    lifetime: String(SESSION_SECONDS_LEAST),
    purpose: 'look at one file of tenant 42',
  });
  brief.catch(() => undefined); // The act that awaits it gets the error.
  const completed = await oneTaskAct(stage, tell);
  await approvalAct(stage, tell);
  await clientsAct(stage, tell);
  const handedOn = await handingOnAct(stage, tell);
  const expired = await deadlineAct(stage, tell);
  const revoked = await massRevocationAct(stage, tell);
  const leaked = await leakAct(stage, tell);
  const stopped = await signalsAct(stage, tell);
  const denied = await awsAct(stage, tell, brief);
  const survivors = await crashAct(stage, tell, {
    completed,
    dead: [...handedOn, expired, ...revoked, leaked, stopped],
  });
  await auditAct(stage, tell, survivors);
  await awsDeadlineAct(stage, tell, { denied, brief: await brief });
  await everywhereAct(stage, tell);
}
