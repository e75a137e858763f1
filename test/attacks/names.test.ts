/**
 * Whoever may choose a name (a branch, a team, an address) chooses one that nobody can revoke, find or tell from another. Every
 * name that the door takes is held by API, by command line and by signal, is refused everywhere from then on, and stands in every
 * answer as it is, or as its digest where it is a run's. Every other name is refused at the door, and by the same rule wherever else it is said.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { run } from '../../src/cli/run.js';
import { CLAIM_CHARACTERS_MAX, isName, nameProblem } from '../../src/domain/name.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { createIssuer, type TestIssuer } from '../support/issuers/issuer.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { until } from '../support/until.js';

const SIGNALS = {
  reactions: [{ name: 'hold', event: 'session-revoked', from: ['lab:siem'], do: 'hold' }],
  ...{ maxPartiesPerMinute: 'unlimited', dedupeSeconds: 0 },
};
const POLICIES = `
@id("any-team-reads")
permit (principal, action == Action::"read", resource in Resource::"https://tickets.example#incident")
when { principal in Issuer::"lab" || principal in Issuer::"ci" };

@id("runs-open-their-tasks")
permit (principal in Issuer::"ci", action == Action::"openTask", resource);
`;

let broker: TestBroker;
let ci: TestIssuer;
beforeAll(async () => {
  const config = { signals: SIGNALS, limits: { perWorkloadPerMinute: 1_000_000 } };
  const clock = handClock();
  ci = await createIssuer({ clock, url: 'https://ci.example' });
  const file = join(temporaryDirectory(), 'ci.json');
  writeFileSync(file, JSON.stringify(ci.jwks()));
  const trust = [{ name: 'ci', kind: 'oidc', issuer: ci.url, jwks: { file }, workload: ['agent'] }];
  broker = await startBroker({ config, policies: POLICIES, clock, trust });
});

type Way = 'api' | 'command' | 'signal';

/** What a name can be of: how its bearer asks, and what a revocation calls it. */
interface Role {
  kind: 'workload' | 'subject' | 'owner' | 'principal';
  valueOf: (name: string) => string;
  /** The door takes whatever text it is: what is no name is called by its digest. */
  takesAny?: true;
  /** The subject of a signal; a team has none. */
  subjectOf?: (name: string) => object;
  ask: (name: string) => Promise<Record<string, string | undefined>>;
}

const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const byAgentFor = async (person: string) => ({
  subject_token: person,
  actor_token: await broker.identity('agent-7', { team: 'agents' }),
  actor_token_type: JWT,
});

const ROLES: Record<string, Role> = {
  'a workload': {
    kind: 'workload',
    valueOf: (name) => `lab:${name}`,
    subjectOf: (sub) => ({ format: 'iss_sub', iss: broker.lab.url, sub }),
    ask: async (name) => ({ subject_token: await broker.identity(name, { team: 'agents' }) }),
  },
  'a run of a workload': {
    kind: 'subject',
    valueOf: (sub) => `ci:${isName(sub) ? sub : digestOf(sub)}`,
    takesAny: true,
    subjectOf: (sub) => ({ format: 'iss_sub', iss: ci.url, sub }),
    ask: async (sub) => ({ subject_token: await ci.token({ sub, aud: broker.url, agent: 'agent-7' }) }),
  },
  'a person': {
    kind: 'principal',
    valueOf: (name) => `staff:${name}`,
    subjectOf: (sub) => ({ format: 'iss_sub', iss: broker.staff.url, sub }),
    ask: async (name) => byAgentFor(await broker.person(name)),
  },
  'an address': {
    kind: 'principal',
    valueOf: (name) => `email:staff/${name.toLowerCase()}`,
    subjectOf: (email) => ({ format: 'email', email }),
    ask: async (name) => byAgentFor(await broker.person('ada', { email: name })),
  },
  'a team': {
    kind: 'owner',
    valueOf: (name) => name,
    ask: async (name) => ({ subject_token: await broker.identity('agent-7', { team: name }) }),
  },
};

const digestOf = (sub: string): string => `sha256:${createHash('sha256').update(sub).digest('base64url')}`;

const LOOKS = [
  'eyJ.x.y',
  'token=AAAAAAAAAAAAAAAAAAAA',
  'repo:acme/app:ref:refs/heads/',
  'a//b',
  '..',
  '%2F',
  '/risk',
  '-rf',
];
const SIGNS = ['+', '&', '#', '?', '"', '\\', "'", '{}', '$(x)', '::', ';', '*', '__proto__', 'constructor', 'Z'];
const ODD = ['\ue000', '\u0378', '\ufffd', '\ufe0f', '\u3164', '\u200b', '\u0430', '\u00e9', '\n', '\0', '\u2800'];
const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln';
const part = (odd: readonly string[]) =>
  fc.oneof(fc.constantFrom(...LOOKS, ...SIGNS, ...odd), fc.string({ minLength: 1, maxLength: 12 }), fc.constant(' '));
const text = (odd: readonly string[] = []) =>
  fc.array(part(odd), { minLength: 1, maxLength: 6 }).map((parts) => parts.join('').replaceAll(/\p{Cs}/gu, '\ufffd'));
const ALWAYS: [string, Way][] = [
  ['repo:acme/app:ref:refs/heads/eyJ.x.y', 'api'],
  ['repo:acme/app:environment:token=AAAAAAAAAAAAAAAAAAAA', 'command'],
  ['refs/heads/a!"#$%&\'()+,-./;<=>@]_`{|}', 'signal'],
  ...['agent-7 ', 'agent-7\ufe0f', 'agent-7\u3164', `agent-7/${TOKEN}`].map((name): [string, Way] => [name, 'api']),
];
const said = fc.oneof(text(), text(), text([...ODD, TOKEN]), fc.string({ unit: 'binary', minLength: 1 }));

describe('G7: whoever is let in can be held, and is found, by the name that the log prints', () => {
  it.each(Object.entries(ROLES))('where it is the name of %s', async (_, role) => {
    const taken: string[] = [];
    const way = fc.constantFrom<Way>('api', 'command', 'signal');
    const property = fc.asyncProperty(said, way, async (name, by) => {
      const isTaken = role.takesAny ?? isName(name, CLAIM_CHARACTERS_MAX);
      if (!isTaken) return refusedEverywhere(role, name);
      taken.push(name);
      return revocableEverywhere(role, name, by);
    });
    await fc.assert(property, { numRuns: 20, examples: ALWAYS, endOnFailure: true });
    expect(taken).toEqual(expect.arrayContaining(ALWAYS.slice(0, 2).map(([name]) => name)));
  });
});

/** The SOC, and whoever else asks here, is of another team than whoever is held. */
const soc = () => broker.identity('soc', { team: 'security' });
const boss = () => broker.identity('orchestrator', { team: 'security' });
const get = async (path: string) => broker.get(path, await soc());

async function mayfly(command: string, verb: string, ...rest: string[]): Promise<{ code: number; text: string }> {
  const lines: string[] = [];
  const note = (line: string) => void lines.push(line);
  const code = await run([command, verb, '--config', broker.configFile, ...rest], {
    out: note,
    err: note,
    clock: broker.clock,
  });
  return { code, text: lines.join('\n') };
}

let signals = 0;
async function report(subject: object): Promise<{ about: { value: string }[]; state: string }> {
  const body = { id: `alert-${(signals += 1)}`, event: 'session-revoked', subject };
  const siem = await broker.identity('siem', { team: 'security' });
  const { id } = (await broker.post('/signals/json', body, siem)).body as { id: string };
  let found = { about: [] as { value: string }[], state: 'accepted' };
  await until(async () => {
    const { body: now } = await get(`/signals/${id}`);
    found = now as typeof found;
    return found.state !== 'accepted' && !Object.hasOwn(now as object, 'unfinished');
  }, 'nobody looked at the signal');
  return found;
}

const byApi = async (kind: string, value: string) =>
  broker.post('/revocations', { selector: { kind, value }, reason: 'odd name', unseen: true }, await soc());
const byCommand = (kind: string, value: string) =>
  mayfly('revocations', 'revoke', '--unseen', '--reason', 'odd name', '--', kind, value);

async function hold({ kind, valueOf, subjectOf }: Role, name: string, way: Way): Promise<void> {
  if (way === 'command') expect(await byCommand(kind, valueOf(name))).toMatchObject({ code: 0 });
  else if (way === 'signal' && subjectOf) {
    const value = valueOf(name);
    expect(await report(subjectOf(name))).toMatchObject({ about: [{ kind, value }], state: 'reacted' });
  } else expect((await byApi(kind, valueOf(name))).status).toBe(200);
}

async function lift(value: string): Promise<void> {
  const { revocations } = (await get('/revocations?limit=1000')).body as {
    revocations: { seq: number; selector: { value: string }; liftedBy?: number }[];
  };
  for (const { seq, selector, liftedBy } of revocations)
    if (selector.value === value && liftedBy === undefined) await broker.remove(`/revocations/${seq}`, await soc());
}

const audited = async (query: string) =>
  ((await get(`/audit?limit=1000&${query}`)).body as { lines: string[] }).lines.map(
    (line) =>
      JSON.parse(line) as {
        actor?: { id: string; subject?: string };
        workload?: string;
        revocation?: { selector: { value: string } };
      },
  );

async function revocableEverywhere(role: Role, name: string, way: Way): Promise<void> {
  const { kind, valueOf } = role;
  const value = valueOf(name);
  const form = await role.ask(name);
  const { status, body } = await broker.exchange('', form);
  expect([name, status]).toEqual([name, 200]);
  const { access_token: token, task_id: task } = body as { access_token: string; task_id: string };
  const api = await broker.identity('tickets-api', { team: 'security' });
  const claims = (await broker.introspect(token, api)).body as { active: boolean; jti: string };
  expect(claims.active).toBe(true);
  const { causes } = (await get(`/credentials/${claims.jti}`)).body as { causes: object[] };
  expect(causes).toContainEqual({ kind, value });

  await hold(role, name, way);
  expect((await broker.introspect(token, api)).text).toBe('{"active":false}');
  expect((await broker.exchange('', await role.ask(name))).body).toMatchObject({ retry: 'after-lift' });
  expect((await broker.exchange('', { ...form, task_id: task, purpose: undefined })).status).toBe(400);
  const published = await audited(`type=revocation.published`);
  expect(published.map(({ revocation }) => revocation?.selector.value)).toContain(value);
  if (kind === 'workload') await refusedAsWorkload(value, task, form['subject_token'] ?? '');
  if (kind === 'workload') await foundAsWorkload(value);
  if (kind === 'subject') await foundAsRun(value);
  expect((await mayfly('revocations', 'list')).text).toContain(`of ${kind} ${value}  by`);
  await lift(value);
}

async function refusedAsWorkload(workload: string, task: string, identity: string): Promise<void> {
  expect((await broker.post('/tasks', { workload, purpose: 'more' }, await boss())).body).toMatchObject({
    retry: 'after-lift',
  });
  expect((await broker.post(`/tasks/${task}/heartbeat`, {}, identity)).status).toBe(403);
}

async function foundAsWorkload(value: string): Promise<void> {
  const query = `workload=${encodeURIComponent(value)}`;
  const entries = await audited(query);
  expect(entries.length).toBeGreaterThan(0);
  for (const entry of entries) expect(entry.workload).toBe(value);
  expect((await get(`/workloads/${encodeURIComponent(value)}/risk`)).body).toMatchObject({ workload: value });
  const timeline = (await get(`/timeline?${query}&limit=1000`)).body as { entries: { by?: string; text: string }[] };
  const texts = timeline.entries.map((entry) => entry.text);
  expect(texts).toContainEqual(expect.stringContaining(`hold of workload ${value}`));
  expect(timeline.entries.map(({ by }) => by)).toContain(value);
}

/** The entries of the workload say which run it was, and its timeline has what was done to that run. */
async function foundAsRun(subject: string): Promise<void> {
  const query = `workload=${encodeURIComponent('ci:agent-7')}`;
  expect((await audited(query)).map(({ actor }) => actor?.subject)).toContain(subject);
  const timeline = (await get(`/timeline?${query}&limit=1000`)).body as { entries: { text: string }[] };
  expect(timeline.entries.map(({ text }) => text)).toContainEqual(
    expect.stringContaining(`hold of subject ${subject}`),
  );
}

async function refusedEverywhere(role: Role, name: string): Promise<void> {
  const { kind, valueOf, subjectOf } = role;
  const value = valueOf(name);
  const { status, body } = await broker.exchange('', await role.ask(name));
  expect([name, status, body]).toMatchObject([name, 400, { error: 'invalid_request', error_description: /./ }]);
  const { error_description: why } = body as { error_description: string };
  expect(why).toContain(`that ${nameProblem(name, CLAIM_CHARACTERS_MAX) ?? 'nothing'}.`);

  if (subjectOf) expect(await report(subjectOf(name))).toMatchObject({ about: [], state: 'recorded' });
  // In lower case an address may be a name.
  if (nameProblem(value) === undefined) return;
  expect((await byApi(kind, value)).body).toMatchObject({
    detail: expect.stringMatching(/malformed for its kind: it/),
  });
  expect(await byCommand(kind, value)).toMatchObject({
    code: 1,
    text: expect.stringMatching(/malformed for its kind: it/),
  });
  if (kind !== 'workload') return;
  const query = `workload=${encodeURIComponent(value)}`;
  const asked = [
    get(`/audit?${query}`),
    get(`/timeline?${query}`),
    get(`/workloads/${encodeURIComponent(value)}/risk`),
  ];
  for (const reply of await Promise.all(asked)) expect([name, reply.status]).toEqual([name, 400]);
  expect((await broker.post('/tasks', { workload: value, purpose: 'more' }, await boss())).status).toBe(400);
}
