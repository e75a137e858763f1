/**
 * Detectors as weapons: somebody does what a detector looks for in such a way that another is charged with it. Here every detector
 * may act, and every reaction holds the workload that a finding belongs to.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DETECTOR_OF } from '../../src/config/signals-schema.js';
import type { DetectorEvent } from '../../src/domain/signal.js';
import { JWT_TYPE } from '../../src/protocol/oauth.js';
import { withCanary } from '../support/brokers/canary.js';
import { WIKI, type TestBroker } from '../support/brokers/http.js';
import { isActive, minted } from '../support/brokers/signals.js';
import { until } from '../support/until.js';

const EVENTS = Object.keys(DETECTOR_OF) as DetectorEvent[];
const armed = {
  detectors: Object.fromEntries(Object.values(DETECTOR_OF).map((name) => [name, { observe: false }])),
  reactions: EVENTS.map((event) => ({ name: event, event, do: 'hold', covers: 'workload' })),
};
const policies = `@id("wiki") permit (principal in Owner::"sre", action in Action::"access", resource in Target::"${WIKI}");
@id("mallory") forbid (principal, action in [Action::"access", Action::"openTask"], resource)
when { context has onBehalfOf && context.onBehalfOf == Person::"staff:mallory" };`;

/** The workload that the maker of the canary named: an alarm may stop it, because the maker said so. */
const NAMED = 'lab:backup';

let broker: TestBroker;
let canary: string;
beforeAll(async () => {
  const wish = { config: { signals: armed }, policies };
  ({ broker, canary } = await withCanary(wish, '--workload', NAMED));
});

const as = async (sub: string) => ({ authorization: `Bearer ${await broker.identity(sub)}` });

async function times(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i += 1) await work(i);
}

const openFor = async (sub: string, more: object = {}): Promise<string> => {
  const task = { workload: `lab:${sub}`, purpose: 'x', ...more };
  return ((await broker.post('/tasks', task, await broker.identity('orchestrator'))).body as { id: string }).id;
};

/** Asks, and sees that the answer is no: an aim that never reached the broker would prove nothing. */
const refused = async (asking: Promise<{ status: number }>): Promise<void> => {
  expect([400, 401, 403, 404]).toContain((await asking).status);
};

const asksTooMuch = async (sub: string, count: number, task?: string): Promise<void> => {
  const token = await broker.identity(sub);
  const under = task === undefined ? {} : { purpose: undefined, task_id: task };
  await times(count, () => refused(broker.exchange(token, { ...under, scope: 'customer/1:read' })));
};

const introspects = async (token: string, presentedFrom = 'here') =>
  broker.form('/introspect', { token, presented_from: presentedFrom }, await as('tickets-api'));

/** The victims do their work, each by an identity token of its own that is fresh. */
const WORKS = {
  'agent-7': async () => (await broker.exchange(await broker.identity('agent-7'))).status === 200,
  'tickets-api': async () => isActive(broker, await minted(broker, 'agent-8')),
  orchestrator: async () => (await openFor('agent-8')).startsWith('tsk_'),
};

interface Case {
  /** How others bring about, against a victim, what the detector looks for. */
  aimed: [how: string, victim: keyof typeof WORKS, aim: () => Promise<unknown>][];
  /** How `sub` itself, or whoever presents what is its own, brings it about: it is found, and about this. */
  itself: [about: string, state: 'reacted' | 'recorded', act: (sub: string) => Promise<unknown>];
}

const usedAfterEnd = async (sub: string) => {
  const stolen = await minted(broker, sub);
  await broker.form('/revoke', { token: stolen.token }, await as(sub));
  await times(5, () => introspects(stolen.token));
};

const seenEverywhere = async (sub: string) => {
  const { token } = await minted(broker, sub);
  await times(9, (i) => introspects(token, `place-${i}`));
};

/** Somebody goes on with a token from before a cutoff; the workload has a fresh one after it. */
const goesOnAfterCutoff = async (sub: string) => {
  await minted(broker, sub);
  const stolen = await broker.identity(sub);
  const cutoff = { selector: { kind: 'workload', value: `lab:${sub}` }, effect: 'cutoff', reason: 'r' };
  await broker.advance(1_000);
  expect((await broker.post('/revocations', cutoff, await broker.identity('soc'))).status).toBe(200);
  await times(31, () => refused(broker.exchange(stolen)));
};

const showsTheCanary = async () => {
  // A text that says more than the canary is none: it cannot be bent to name another.
  const [header = '', payload = '', signature = ''] = canary.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const bent = Buffer.from(JSON.stringify({ ...claims, client_id: 'lab:agent-7' })).toString('base64url');
  for (const token of [`${header}.${bent}.${signature}`, canary]) {
    await introspects(token);
    await broker.exchange(token);
  }
};

const CASES: Record<DetectorEvent, Case> = {
  'use-after-end': {
    aimed: [['a thief shows a token that was revoked', 'agent-7', () => usedAfterEnd('agent-7')]],
    itself: ['credential', 'recorded', usedAfterEnd],
  },
  'out-of-scope': {
    aimed: [
      [
        'an orchestrator opens a task that permits nothing of what the agent does',
        'agent-7',
        async () => {
          const access = [{ type: 'task_access', locations: [WIKI], identifier: 'page/1', actions: ['read'] }];
          await asksTooMuch('agent-7', 31, await openFor('agent-7', { access }));
        },
      ],
      [
        'another workload asks for too much under the task of the victim',
        'agent-7',
        async () => asksTooMuch('agent-8', 9, (await minted(broker, 'agent-7')).task),
      ],
    ],
    itself: ['task', 'recorded', async (sub) => asksTooMuch(sub, 5, (await minted(broker, sub)).task)],
  },
  'denial-burst': {
    aimed: [
      [
        'an agent shows the API its own token for another API',
        'tickets-api',
        async () => {
          const { token } = await minted(broker, 'agent-7', { resource: WIKI, scope: 'page/1:read' });
          await times(31, () => introspects(token));
        },
      ],
      [
        'an orchestrator is told tasks that do not exist',
        'orchestrator',
        async () => {
          const boss = await broker.identity('orchestrator');
          await times(31, (i) => refused(broker.get(`/tasks/tsk_aabbbbbbbbbbb${i + 200}`, boss)));
          await times(31, (i) => openFor('agent-7', { parent: `tsk_aabbbbbbbbbbb${i + 200}` }));
        },
      ],
      [
        'an agent is told tasks of others, and tasks that have ended',
        'agent-7',
        async () => {
          const ended = await openFor('agent-7');
          await broker.post(`/tasks/${ended}/complete`, { outcome: 'failed' }, await broker.identity('orchestrator'));
          for (const task of [ended, await openFor('agent-8'), 'tsk_aabbbbbbbbbbbbbb'])
            await asksTooMuch('agent-7', 31, task);
        },
      ],
      [
        'an API tells an agent to ask for a scope that cannot be read',
        'agent-7',
        async () => {
          const agent = await broker.identity('agent-7');
          await times(31, () => refused(broker.exchange(agent, { scope: 'no scope of ours' })));
        },
      ],
      [
        'a person whom policy forbids gives a shared agent work',
        'agent-7',
        async () => {
          const mallory = await broker.person('mallory');
          const agent = { actor_token: await broker.identity('agent-7'), actor_token_type: JWT_TYPE };
          await times(31, () => refused(broker.exchange(mallory, agent)));
        },
      ],
      [
        'a person whom policy forbids has a shared agent open tasks for them',
        'agent-7',
        async () => {
          const agent = await broker.identity('agent-7');
          const task = { workload: 'lab:agent-7', purpose: 'x', principal: 'staff:mallory' };
          await times(31, () => refused(broker.post('/tasks', task, agent)));
        },
      ],
      [
        'an orchestrator has the agent open a child of a task that permits nothing of what it does',
        'agent-7',
        async () => {
          const access = [{ type: 'task_access', locations: [WIKI], identifier: 'page/1', actions: ['read'] }];
          const parent = await openFor('agent-7', { access });
          const child = { workload: 'lab:agent-7', purpose: 'x', parent };
          const { body } = await broker.post('/tasks', child, await broker.identity('agent-7'));
          await asksTooMuch('agent-7', 31, (body as { id: string }).id);
        },
      ],
    ],
    itself: ['workload', 'reacted', (sub) => minted(broker, sub).then(() => asksTooMuch(sub, 30))],
  },
  'mint-spike': {
    aimed: [['an orchestrator opens many tasks for an agent', 'agent-7', () => times(60, () => openFor('agent-7'))]],
    itself: ['workload', 'reacted', (sub) => times(50, () => minted(broker, sub))],
  },
  'many-places': {
    aimed: [['an API says that a token came from everywhere', 'agent-7', () => seenEverywhere('agent-7')]],
    itself: ['credential', 'recorded', seenEverywhere],
  },
  'ended-identity': {
    aimed: [['a thief goes on with a token from before a cutoff', 'agent-7', () => goesOnAfterCutoff('agent-7')]],
    // It tells people whose token it is.
    itself: ['workload', 'recorded', goesOnAfterCutoff],
  },
  'canary-used': {
    aimed: [
      ['an agent shows the API a canary', 'tickets-api', showsTheCanary],
      ['somebody bends the text of a canary', 'agent-7', showsTheCanary],
    ],
    itself: ['workload', 'reacted', showsTheCanary],
  },
};

interface Found {
  id: string;
  event: string;
  state: string;
  about: { kind: string; value: string }[];
  reaction?: { selector?: { value: string } };
}

/** Returns what the detectors found of what is done, once each finding is evaluated. */
async function findingsOf(act: () => Promise<unknown>): Promise<Found[]> {
  const all = async () =>
    ((await broker.get('/signals?limit=100', await broker.identity('soc'))).body as { signals: Found[] }).signals;
  const before = new Set((await all()).map(({ id }) => id));
  await act();
  await broker.work('detectors');
  let found: Found[] = [];
  await until(async () => {
    found = (await all()).filter(({ id }) => !before.has(id));
    return found.every(({ state }) => state !== 'accepted');
  }, 'the findings were not evaluated');
  return found;
}

describe('no detector is a weapon', () => {
  it.each(EVENTS)('%s: whose own doing it is, or whose token, is found all the same', async (event) => {
    const [kind, state, act] = CASES[event].itself;
    const findings = await findingsOf(() => act(`own-${event}`));
    expect(findings.filter((one) => one.event === event)).toMatchObject([{ state, about: [{ kind }] }]);
  });

  describe.each(EVENTS.flatMap((event) => CASES[event].aimed.map((aimed) => [event, ...aimed] as const)))(
    '%s: %s',
    (_, __, victim, aim) => {
      it(`and ${victim} works on`, async () => {
        expect(await WORKS[victim]()).toBe(true);
        const reached = (await findingsOf(aim)).filter(({ state }) => state !== 'recorded');
        expect(reached.filter(({ reaction }) => reaction?.selector?.value !== NAMED)).toEqual([]);
        await broker.advance(60_000); // Fresh tokens are later than any cutoff.
        expect(await WORKS[victim]()).toBe(true);
      });
    },
  );
});
