/** What handing on must keep, whatever is handed on and whatever is revoked: checked for patterns, and for causes of every kind. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { credentialCauses, risksFor } from '../../../src/domain/hangs-on.js';
import { BrokerError } from '../../../src/domain/errors.js';
import type { Access } from '../../../src/domain/access.js';
import { cause } from '../../../src/domain/selector.js';
import { readTaskState } from '../../../src/ledger/task-state.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';
import type { Issued } from '../../../src/credentials/release.js';
import { openTask } from '../../../src/tasks/open-task.js';
import {
  AGENT,
  TARGET,
  wholeBroker,
  withPersons,
  withRuns,
  type WholeBroker,
} from '../../support/brokers/use-cases.js';
import { proven } from '../../support/brokers/stubbed.js';
import { handClock } from '../../support/clock.js';
import type { ExchangeRequest } from '../../support/exchanging.js';
import { FITTING, oneThatHangsOnEverything, soc } from '../../support/revoking.js';

const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const SCOUT = 'lab:scout';

const handOn = (broker: WholeBroker, { minted }: Issued, wish: Partial<ExchangeRequest> = {}, actor = SCOUT) =>
  broker.exchange({
    subject: { token: accessTokenOf(minted.material), type: ACCESS_TOKEN },
    actor: { token: actor, type: JWT },
    under: { purpose: 'part' },
    ...wish,
  });

const segment = fc.constantFrom('a', 'b', '*');
const path = fc
  .tuple(fc.array(segment, { maxLength: 3 }), fc.constantFrom('a', 'b', '*', '**'))
  .map(([segments, last]) => [...segments, last].join('/'));
const access = fc.array(fc.record({ path, actions: fc.subarray(['read', 'write'], { minLength: 1 }) }), {
  minLength: 1,
  maxLength: 2,
});

/** What is handed on: anything, and half of the time something that wildcards of the first may stand for. */
const handed = access.chain((first) =>
  fc.tuple(
    fc.constant(first),
    fc.oneof(
      access,
      fc
        .constantFrom('a', '*', 'b/**')
        .map((instead) =>
          first.map(({ path, actions }) => ({ path: path.replace(/\*+$/, instead), actions: actions.slice(0, 1) })),
        ),
    ),
  ),
);

/** Every path of up to four segments of the alphabet, and of a segment that no pattern names. */
const PATHS = Array.from({ length: 4 })
  .reduce<string[][]>(
    (lengths) => [
      ...lengths,
      (lengths.at(-1) ?? ['']).flatMap((path) => ['a', 'b', 'c'].map((one) => (path === '' ? one : `${path}/${one}`))),
    ],
    [],
  )
  .flat();

/** By regular expressions, which the broker never makes: so it is another reading of the same patterns. */
const grants = (granted: readonly Access[], action: string, path: string): boolean =>
  granted.some(
    ({ path: pattern, actions }) =>
      actions.includes(action) &&
      new RegExp(`^${pattern.replaceAll('**', '@').replaceAll('*', '[^/]+').replace('@', '.+')}$`).test(path),
  );

const refusal = (error: unknown): string => {
  if (error instanceof BrokerError) return error.code;
  throw error;
};

it('what is handed on never reaches a path or action that the credential does not, over all patterns', async () => {
  const broker = await wholeBroker();
  let [granted, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(handed, async ([first, second]) => {
      const given = await broker.exchange({ access: first });
      const got = await handOn(broker, given, { access: second }).catch(refusal);
      if (got === 'invalid_scope') refused += 1;
      else granted += 1;
      const wider = PATHS.filter((path) =>
        ['read', 'write'].some((action) => grants(second, action, path) && !grants(first, action, path)),
      );
      if (typeof got === 'string') expect(got).toBe('invalid_scope');
      else
        expect([wider, got.credential.access, got.task.ceiling]).toEqual([
          [],
          second,
          first.map((one) => ({ target: TARGET, ...one })),
        ]);
    }),
    { numRuns: 40 },
  );
  expect([granted > 5, refused > 5]).toEqual([true, true]);
});

describe('what was handed on', () => {
  it.each(FITTING.filter(([kind]) => kind !== 'drill'))(
    'is dead after a revocation by %s with %s of anything above',
    async (kind, effect) => {
      const { broker, issued, values } = await oneThatHangsOnEverything();
      const second = await handOn(broker, issued);
      const third = await handOn(broker, second, {}, 'lab:clerk');
      for (const value of values[kind])
        expect(credentialCauses(third.credential, third.task)).toContain(cause(kind, value));
      expect(await broker.isActive(third)).toBe(true);
      await soc(broker, { kind, value: values[kind].at(-1) ?? '' }, effect);
      expect(await broker.isActive(third)).toBe(false);
      // A hold on a target or on everything suspends no task of its own kind, but ends this one with the credential above it.
      expect(await readTaskState(broker.deps.ledger, third.task)).toBe('revoked');
    },
  );
});

describe('may_act', () => {
  const named = async (sub: string) => {
    const { settings } = (await wholeBroker()).deps;
    const broker: WholeBroker = await wholeBroker({
      settings: withPersons(settings),
      identify: (token) =>
        Promise.resolve({ ...proven(token, broker.clock), ...(token.startsWith('staff:') && { mayAct: { sub } }) }),
    });
    return broker;
  };
  const forAda = (broker: WholeBroker) =>
    broker.exchange({ subject: { token: 'staff:ada', type: JWT }, actor: { token: AGENT, type: JWT } });
  const NOT_THIS_ONE = /may_act.*not this workload/;

  it('of the person binds whoever is handed on to, and whoever a task is opened for below', async () => {
    const broker = await named(AGENT);
    const first = await forAda(broker);
    await expect(handOn(broker, first)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(NOT_THIS_ONE),
    });
    const { task } = await broker.open({ workload: SCOUT, parent: first.task.id });
    const subject = { token: SCOUT, type: JWT };
    await expect(broker.exchange({ subject, under: { taskId: task.id } })).rejects.toMatchObject({
      code: 'invalid_grant',
      message: expect.stringMatching(NOT_THIS_ONE),
    });
  });

  it('of the person lets the one that it names narrow and renew', async () => {
    const broker = await named(AGENT);
    const first = await forAda(broker);
    const client = broker.agent;
    const subject = { token: accessTokenOf(first.minted.material), type: ACCESS_TOKEN };
    const narrowed = await broker.exchange({ subject, client, under: { purpose: 'part' } });
    expect(narrowed.task.lineage).toEqual([first.task.id]);
    expect(await broker.isActive(await broker.under(narrowed.task.id))).toBe(true);
  });

  it('of the person binds a task that is opened with their token for somebody else', async () => {
    const broker = await named(AGENT);
    const ada = await broker.deps.identify('staff:ada', { use: 'bearer' });
    const opening = { workload: SCOUT, principal: 'staff:ada', purpose: 'triage', requestId: 'r' };
    const { task } = await openTask(broker.deps, ada, opening);
    const subject = { token: SCOUT, type: JWT };
    await expect(broker.exchange({ subject, under: { taskId: task.id } })).rejects.toMatchObject({
      code: 'invalid_grant',
      message: expect.stringMatching(NOT_THIS_ONE),
    });
    const forAgent = await openTask(broker.deps, ada, { ...opening, workload: AGENT });
    expect(await broker.isActive(await broker.under(forAgent.task.id))).toBe(true);
  });
});

/** A broker with an agent of a team and a run, and a person of a login, that a test changes between two requests. */
async function changing() {
  const now = { owner: 'sre', subject: 'lab:branch-1', session: 'staff:login-1' };
  const clock = handClock();
  const { settings } = (await wholeBroker()).deps;
  const identify = (token: string) => {
    const { party, ...proof } = proven(token, clock);
    const { owner, subject, session } = now;
    const changed = { 'staff:ada': { session }, [AGENT]: { subject, owner } }[token];
    return Promise.resolve({ ...proof, party: { ...party, ...changed } });
  };
  const broker = await wholeBroker({ clock, identify, settings: withRuns(withPersons(settings)) });
  const forAda = (under: ExchangeRequest['under']) =>
    broker.exchange({ subject: { token: 'staff:ada', type: JWT }, actor: { token: AGENT, type: JWT }, under });
  return { broker, now, forAda };
}

describe('where the parties have changed since the task was opened', () => {
  it('the risk of the run and of the login counts by which the credential was asked for that is handed on', async () => {
    const { broker, now, forAda } = await changing();
    const { task } = await forAda({ purpose: 'triage' });
    Object.assign(now, { subject: 'lab:branch-2', session: 'staff:login-2' });
    const second = await handOn(broker, await forAda({ taskId: task.id }));
    const third = await handOn(broker, second, {}, 'lab:clerk');
    for (const { task } of [second, third]) {
      const counted = risksFor(task, []);
      expect(counted).toContainEqual({ kind: 'subject', value: 'lab:branch-2' });
      expect(counted).toContainEqual({ kind: 'session', value: 'staff:login-2' });
    }
    for (const [kind, value] of [
      ['subject', 'lab:branch-1'],
      ['session', 'staff:login-1'],
    ] as const)
      expect(credentialCauses(third.credential, third.task)).toContain(cause(kind, value));
  });

  it('a retry still finds what the first attempt was handed on', async () => {
    const { broker, now, forAda } = await changing();
    const first = await forAda({ purpose: 'triage' });
    const again = { idempotencyKey: { key: 'once', body: 'same' } };
    const { task } = await handOn(broker, first, again);
    now.owner = 'payments';
    await forAda({ taskId: first.task.id });
    expect((await handOn(broker, first, again)).task.id).toBe(task.id);
    await soc(broker, { kind: 'owner', value: 'payments' }, 'cutoff');
    const revoked = { code: 'invalid_request', message: expect.stringMatching(/credential that has been revoked/) };
    await expect(handOn(broker, first, again)).rejects.toMatchObject(revoked);
  });
});

it('a refusal is audited with the credential that was shown', async () => {
  const broker = await wholeBroker();
  const first = await broker.exchange();
  const wider = { access: [{ path: 'incident/*', actions: ['read'] }] };
  await expect(handOn(broker, first, wider)).rejects.toMatchObject({ code: 'invalid_scope' });
  const entries = (await broker.audited()).filter(({ type }) => type === 'credential.refused');
  expect(entries).toMatchObject([{ handedOn: first.credential.id, actor: { id: SCOUT }, error: 'invalid_scope' }]);
});

it('what ended with a hold is not counted again by a later revocation', async () => {
  const broker = await wholeBroker();
  await handOn(broker, await broker.exchange());
  const held = await soc(broker, { kind: 'workload', value: AGENT }, 'hold');
  expect(held.affected).toMatchObject({ tasks: 2, credentials: 2 });
  const cut = await soc(broker, { kind: 'workload', value: SCOUT }, 'cutoff');
  expect(cut.affected).toMatchObject({ tasks: 0, credentials: 0 });
});
