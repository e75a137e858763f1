/** The end of a session takes effect to the second and through a change of role, and does not touch what is not the broker's. */
import { describe, expect, it } from '@jest/globals';
import { assumeRole } from '../../../fakes/aws/assume-role.js';
import { readParameters } from '../../../fakes/aws/parameters.js';
import type { RoleOptions } from '../../../fakes/aws/options.js';
import { openSession, type Session } from '../../../fakes/aws/session.js';
import { handClock } from '../../support/clock.js';
import { ACCESS, memoryAws, OTHER_ROLE, ROLE } from '../../support/sessions/memory-aws.js';
import { modelStore } from '../../support/search/model-store.js';
import { FENCED_SECONDS, pass, sessionBroker } from '../../support/brokers/sessions.js';

async function begin(role?: Partial<RoleOptions>) {
  const clock = handClock();
  const aws = memoryAws(clock, { ...(role && { role }) });
  const broker = sessionBroker({ store: modelStore(clock), clock, aws });
  await pass(clock, FENCED_SECONDS, broker);
  return { ...broker, clock, aws, pass: (seconds: number) => pass(clock, seconds, broker) };
}

/** Sessions may go on to another role; whoever sets up roles like that has given up more than the broker can take back. */
const CHAINING: Partial<RoleOptions> = {
  trust: {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { AWS: ROLE },
      Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
    },
  },
  base: {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['s3:*', 'sts:*'], Resource: '*' }],
  },
};
const CHAINABLE = [
  ...ACCESS,
  { path: OTHER_ROLE, actions: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'] },
];

function chain(aws: ReturnType<typeof memoryAws>, caller: Session | undefined): Session {
  if (!caller) throw new Error('no session was made');
  const form = new URLSearchParams({ RoleArn: OTHER_ROLE, RoleSessionName: 'elsewhere' });
  assumeRole({ account: aws.account, caller, parameters: readParameters(form) });
  const last = [...aws.account.sessions.values()].at(-1);
  if (!last) throw new Error('no session was made');
  return last;
}

describe('the deadline', () => {
  it('is when a session dies: one second before it passes, with nothing written about it', async () => {
    const { mint, aws, pass: wait } = await begin();
    const { credential } = await mint('lab:red-1', { lifetimeSeconds: 120 });
    const writes = aws.writes(ROLE).length;
    await wait(119);
    expect(aws.reads(credential.id)).toBe(true);
    await wait(1);
    expect(aws.reads(credential.id)).toBe(false);
    expect(aws.writes(ROLE)).toHaveLength(writes);
  });

  it('is that of the task, where that comes first', async () => {
    const { mint, open, aws, pass: wait } = await begin();
    const { credential } = await mint('lab:red-1', { taskId: await open('lab:red-1', { deadlineSeconds: 60 }) });
    await wait(59);
    expect(aws.reads(credential.id)).toBe(true);
    await wait(1);
    expect(aws.reads(credential.id)).toBe(false);
  });
});

describe('a session that went on to another role', () => {
  it('keeps its tags, and is denied there by the same deny policy', async () => {
    const { mint, complete, aws, pass: wait } = await begin(CHAINING);
    const one = await mint('lab:red-1', { access: CHAINABLE });
    const other = await mint('lab:red-1', { access: CHAINABLE });
    const chained = [one, other].map(({ credential }) => chain(aws, aws.made.get(credential.id)));
    expect(chained.map(({ tags }) => tags.values.get('jc'))).toEqual(
      [one, other].map(({ credential }) => credential.id.replace('crd_', '')),
    );
    await complete(one.task.id);
    await wait(20);
    // A role denies only what was pushed to it. Nothing about the other role was pushed to this one.
    expect([aws.reads(one.credential.id), ...chained.map(aws.passes)]).toEqual([false, true, true]);
    aws.tamper(OTHER_ROLE, JSON.stringify(aws.document(ROLE)));
    await wait(5);
    expect(chained.map(aws.passes)).toEqual([false, true]);
  });

  it('does not exist where roles are set up as the broker wants them', async () => {
    const { mint, aws } = await begin();
    const { credential } = await mint('lab:red-1', { access: CHAINABLE });
    expect(() => chain(aws, aws.made.get(credential.id))).toThrow('is not authorized to perform: sts:AssumeRole');
  });
});

it('a session without tags, which no deny policy could name, is refused by the role itself', async () => {
  const { aws } = await begin();
  const [role] = aws.account.roles;
  if (!role) throw new Error('there is no role');
  const tags = { values: new Map<string, string>(), transitive: [] };
  const wish = { role, roleSessionName: 'stray', durationSeconds: 900, sourceIdentity: undefined, policy: undefined };
  const named = openSession(aws.account, { ...wish, tags: { ...tags, values: new Map([['jc', 'somebody']]) } });
  expect([aws.passes(openSession(aws.account, { ...wish, tags })), aws.passes(named)]).toEqual([false, true]);
});
