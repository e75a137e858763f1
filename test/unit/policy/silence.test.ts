/** Engines that give no answer: whatever they do instead, nothing is permitted, and nothing is denied by policy either. */
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { BrokerError } from '../../../src/domain/errors.js';
import type { PolicySilence } from '../../../src/domain/policy-outcome.js';
import type { PolicyEngine, Verdict } from '../../../src/policy/policy-engine.js';
import type { PolicyQuery } from '../../../src/policy/query.js';
import { json, serve } from '../../support/policy-engines/decision-point.js';
import { authzenEngine, opaEngine, type RemoteWish } from '../../support/policy-engines/remote.js';
import { taskOf, toAccess, toOperate, workload } from '../../support/policy.js';
import { until } from '../../support/until.js';

type Reply = (response: ServerResponse) => void;

/** How each engine is reached, and how it writes an answer with these members. */
const ENGINES = {
  OPA: {
    open: (url: string, wish: RemoteWish) => opaEngine(url, 'mayfly/answer', wish),
    of: (allow: unknown, terms: object = {}) => ({ result: { allow, ...terms } }),
  },
  AuthZEN: {
    open: (url: string, wish: RemoteWish) => authzenEngine(url, wish),
    of: (decision: unknown, terms: object = {}) => ({ decision, context: terms }),
  },
};
type Engine = keyof typeof ENGINES;

/** An engine that answers its first question, so that the broker has started, and then replies so. */
async function turning(name: Engine, reply: Reply, wish: RemoteWish = {}) {
  let isTurned = false;
  let asked = 0;
  const { url, sockets } = await serve((request, response) => {
    request.resume();
    if (request.method === 'GET') response.writeHead(404).end();
    else if ((asked += 1) && isTurned) reply(response);
    else json(response, ENGINES[name].of(true));
  });
  const unanswered: PolicySilence[] = [];
  const engine = await ENGINES[name].open(url, { ...wish, unanswered });
  expect(await engine.decide(toAccess('incident/1'))).toMatchObject({ outcome: 'permit' });
  isTurned = true;
  return { engine, unanswered, sockets, asked: () => asked };
}

async function silenceOf(engine: PolicyEngine): Promise<BrokerError> {
  const error: unknown = await engine.decide(toAccess('incident/1')).then((verdict) => verdict, (e: unknown) => e); // prettier-ignore
  expect(error).toBeInstanceOf(BrokerError);
  const { cause } = error as BrokerError;
  // What the engine has sent stays out of what is logged, and its address out of what is answered.
  expect(`${String(error)} ${String(cause)}`).not.toMatch(/hunter2|127\.0\.0\.1/);
  return error as BrokerError;
}

const raw =
  (body: string, type = 'application/json', status = 200): Reply =>
  (response) =>
    void response.writeHead(status, { 'content-type': type }).end(body);

/** By what an engine does: what it is counted as. The body may hold what a permit would be. */
const SILENCES: [what: string, reply: Reply, reason: PolicySilence][] = [
  ['500', raw('{"result":true,"decision":true}', 'application/json', 500), 'status'],
  ['404', raw('hunter2', 'text/plain', 404), 'status'],
  ['201 with a permit', raw('{"result":true,"decision":true}', 'application/json', 201), 'status'],
  ['nothing', raw(''), 'malformed'],
  ['204', (response) => void response.writeHead(204).end(), 'status'],
  ['a redirect', (response) => void response.writeHead(307, { location: 'http://127.0.0.1:9/hunter2' }).end(), 'status'],
  ['a page', raw('<html>hunter2</html>', 'text/html'), 'content-type'],
  ['a permit that is no JSON by its own account', raw('{"result":true,"decision":true}', 'text/plain'), 'content-type'],
  ['no content type', (response) => void response.end('{"result":true,"decision":true}'), 'content-type'],
  ['text that is no JSON', raw('hunter2'), 'malformed'],
  ['half a document', raw('{"result":{"allow":true},"decision":tr'), 'malformed'],
  ['a member twice', raw('{"result":false,"decision":false,"result":true,"decision":true}'), 'malformed'],
  ['a list', raw('[true]'), 'malformed'],
  ['true alone', raw('true'), 'malformed'],
  ['a megabyte', raw(`{"result":true,"decision":true,"x":"${'x'.repeat(1_000_000)}"}`), 'too-large'],
  ['a packed answer', (response) => raw('\x1f\x8b')(response.setHeader('content-encoding', 'gzip')), 'malformed'],
  ['a closed connection', (response) => void response.destroy(), 'unreachable'],
  [
    'half an answer, and a closed connection',
    (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
      response.write('{"result":true', () => response.destroy());
    },
    'unreachable',
  ],
]; // prettier-ignore

const rows = (Object.keys(ENGINES) as Engine[]).flatMap((name) => SILENCES.map((row) => [name, ...row] as const));

describe('An engine that gives no answer permits nothing and denies nothing', () => {
  it.each(rows)('%s: %s', async (name, _, reply, reason) => {
    const { engine, unanswered } = await turning(name, reply);
    expect(await silenceOf(engine)).toMatchObject({
      code: 'temporarily_unavailable',
      message: 'Policy cannot be asked now.',
      details: { retry: 'later', retryAfterSeconds: 2 },
    });
    expect(unanswered).toEqual([reason]);
    // The policies of before are still known by their digest, and an engine that is asked again is heard again.
    expect(engine.digest).toMatch(/^[\w-]{43}$/);
  });

  it.each<Engine>(['OPA', 'AuthZEN'])('%s: in time', async (name) => {
    const { engine, unanswered, sockets } = await turning(name, () => undefined, { timeoutMs: 100 });
    await silenceOf(engine);
    expect(unanswered).toEqual(['timeout']);
    // The question was given up, and holds no connection.
    await until(() => sockets.every((socket) => socket.closed), 'a connection stays');
  });

  it.each<Engine>(['OPA', 'AuthZEN'])('%s: because it is not there', async (name) => {
    const unanswered: PolicySilence[] = [];
    const engine = await ENGINES[name].open('http://127.0.0.1:9', { unanswered });
    expect(await silenceOf(engine)).toMatchObject({ code: 'temporarily_unavailable' });
    expect([...new Set(unanswered)]).toEqual(['unreachable']);
    expect(engine.digest).toBe('');
    expect(await engine.reload()).toEqual({
      digest: '',
      problems: [],
      outage: expect.stringMatching(
        /^http:\/\/127\.0\.0\.1:9\S*: The policy engine cannot be reached: ECONNREFUSED\.$/,
      ),
    });
  });
});

/** Members that are not exactly what they should be, on a permit. */
const MISFITS: [what: string, terms: object][] = [
  ['a lifetime that is text', { lifetimeSeconds: '60' }],
  ['no lifetime at all', { lifetimeSeconds: 0 }],
  ['a negative lifetime', { lifetimeSeconds: -60 }],
  ['half a second', { lifetimeSeconds: 0.5 }],
  ['null as a lifetime', { lifetimeSeconds: null }],
  ['one group that is not in a list', { approvals: 'on-call' }],
  ['a group that is no name', { approvals: ['on\u200bcall'] }],
  ['policies that are no list', { policies: {} }],
  ['a policy with a line break', { policies: ['a\nb'] }],
  ['more policies than are kept', { policies: Array.from({ length: 65 }, (_, n) => `p${n}`) }],
  ['a digest that is a number', { digest: 1 }],
  ['a text whether callers are told', { reveal: 'no' }],
];

const NO_BOOLEANS: unknown[] = ['true', 'false', '', 1, 0, null, [], [true], {}];

describe('An answer that is not exactly one is none', () => {
  it.each((Object.keys(ENGINES) as Engine[]).flatMap((name) => MISFITS.map((row) => [name, ...row] as const)))(
    '%s: %s',
    async (name, _, terms) => {
      const { engine, unanswered } = await turning(name, (response) => json(response, ENGINES[name].of(true, terms)));
      await silenceOf(engine);
      expect(unanswered).toEqual(['malformed']);
    },
  );

  it.each((Object.keys(ENGINES) as Engine[]).flatMap((name) => NO_BOOLEANS.map((value) => ({ name, value }))))(
    '$name: $value in the place of a boolean',
    async ({ name, value }) => {
      const { engine, unanswered } = await turning(name, (response) => json(response, ENGINES[name].of(value)));
      await silenceOf(engine);
      expect(unanswered).toEqual(['malformed']);
    },
  );

  it.each(NO_BOOLEANS.map((value) => ({ value })))('OPA: $value in the place of the whole', async ({ value }) => {
    const { engine, unanswered } = await turning('OPA', (response) => json(response, { result: value }));
    await silenceOf(engine);
    expect(unanswered).toEqual(['malformed']);
  });

  it('OPA: an undefined document, as before a bundle is loaded', async () => {
    const { engine, unanswered } = await turning('OPA', (response) => json(response, {}));
    await silenceOf(engine);
    expect(unanswered).toEqual(['undefined']);
  });

  it('OPA: a member that is misspelt, for it may have been a ceiling', async () => {
    const answer = ENGINES.OPA.of(true, { lifetime_seconds: 60 });
    const { engine } = await turning('OPA', (response) => json(response, answer));
    await silenceOf(engine);
  });
});

describe('An AuthZEN decision point', () => {
  /** Returns an engine behind this discovery document. */
  async function behind(document: (url: string) => object) {
    const { url, sockets } = await serve((request, response) =>
      request.method === 'GET'
        ? json(response, document(`http://${request.headers.host}`))
        : json(response, { decision: true }),
    );
    return { engine: await authzenEngine(url), sockets };
  }

  it('is asked at no other origin than its own, whatever its document says', async () => {
    const asked: unknown[] = [];
    const elsewhere = await serve((request, response) => {
      asked.push(request.url);
      json(response, { decision: true });
    });
    const { engine } = await behind((url) => ({
      policy_decision_point: url,
      access_evaluation_endpoint: `${elsewhere.url}/decide`,
    }));
    await silenceOf(engine);
    expect(asked).toEqual([]);
  });

  it.each<[string, (url: string) => object]>([
    ['of another decision point', () => ({ policy_decision_point: 'https://other.example', access_evaluation_endpoint: 'x' })],
    ['without an endpoint', (url) => ({ policy_decision_point: url })],
    ['whose endpoint is no URL', (url) => ({ policy_decision_point: url, access_evaluation_endpoint: '/decide' })],
  ])('is not asked by a document %s', async (_, document) => {
    await silenceOf((await behind(document)).engine);
  }); // prettier-ignore

  it('may have members of its own in the context of an answer', async () => {
    const { url } = await serve((request, response) =>
      request.method === 'GET'
        ? response.writeHead(404).end()
        : json(response, { decision: true, id: 'x', context: { reason_user: { en: 'because' }, lifetimeSeconds: 7 } }),
    );
    const engine = await authzenEngine(url);
    expect(await engine.decide(toAccess('incident/1'))).toMatchObject({ outcome: 'permit', lifetimeSeconds: 7 });
  });

  it('is looked for again where it has moved', async () => {
    let path = '/first';
    const { url } = await serve((request, response) => {
      const here = `http://${request.headers.host}`;
      if (request.method === 'GET')
        json(response, { policy_decision_point: here, access_evaluation_endpoint: `${here}${path}` });
      else if (request.url === path) json(response, { decision: true });
      else response.writeHead(404).end();
    });
    const engine = await authzenEngine(url);
    path = '/second';
    await silenceOf(engine);
    expect(await engine.decide(toAccess('incident/1'))).toMatchObject({ outcome: 'permit' });
  });
});

describe('An engine that hangs', () => {
  const by = (id: string) => workload(`lab:${id}`);
  const access = (id: string) => toAccess('incident/1', 'read', { by: by(id) });
  const verb = (name: string, id: string) =>
    toOperate(name, name.endsWith('Task') ? taskOf(by(id)) : { type: 'broker' }, by(id));

  /** Which questions go one way, with how many connections; how many it takes, and how many of one party. */
  const LANES: [what: string, question: (id: string) => PolicyQuery, connections: number, most: number, ofParty: number][] = [
    ['access', access, 32, 256, 128],
    ['verbs', (id) => verb('readTask', id), 16, 128, 64],
    ...['revoke', 'completeTask', 'completeRun', 'suspendTask'].map(
      (name): (typeof LANES)[number] => [name, (id) => verb(name, id), 64, 512, 32],
    ),
  ]; // prettier-ignore

  it.each(LANES)('holds so many questions and no more, and none of another kind: %s', async (what, question, connections, most, ofParty) => {
    const waiting: ServerResponse[] = [];
    const { engine, unanswered, asked } = await turning('OPA', (response) => void waiting.push(response));
    const before = asked();
    const parties = Array.from({ length: most / ofParty }, (_, n) => `flood-${n}`);
    const held: Promise<Verdict>[] = [];
    for (const party of parties) {
      held.push(...Array.from({ length: ofParty }, () => engine.decide(question(party))));
      // Nobody has more than a part of it.
      await refusedAsBusy(engine.decide(question(party)));
    }
    await refusedAsBusy(engine.decide(question('soc')));
    expect(unanswered).toEqual(Array(parties.length + 1).fill('busy'));
    // Each other kind has connections of its own.
    const others = [access('soc'), verb('readTask', 'soc'), verb('revoke', 'soc')].toSpliced(placeOf(what), 1);
    const free = others.map((other) => engine.decide(other));
    await until(() => waiting.length === connections + 2, 'the questions do not arrive');
    expect(asked() - before).toBe(connections + 2);
    const answering = setInterval(() => {
      for (const response of waiting.splice(0)) json(response, { result: false });
    }, 1);
    const verdicts = await Promise.all([...free, ...held]);
    // What was answered takes no place any more.
    verdicts.push(...(await Promise.all(parties.map((party) => engine.decide(question(party))))));
    clearInterval(answering);
    expect(new Set(verdicts.map(({ outcome }) => outcome))).toEqual(new Set(['deny']));
  }); // prettier-ignore

  const placeOf = (what: string): number => ({ access: 0, verbs: 1 })[what] ?? 2;

  const refusedAsBusy = (deciding: Promise<Verdict>) =>
    expect(deciding).rejects.toMatchObject({ code: 'temporarily_unavailable', cause: { reason: 'busy' } });
});
