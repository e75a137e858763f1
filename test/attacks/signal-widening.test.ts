/** A source tries to hit more than it may speak of: by a subject that is read too broadly, or through a task. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isActive, evaluated, minted, startSignalBroker } from '../support/brokers/signals.js';
import { opaque, person, workload } from '../support/issuers/transmitter.js';
import type { SignalBroker } from '../support/brokers/signals.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { createIssuer, type TestIssuer } from '../support/issuers/issuer.js';

let setting: SignalBroker;
let mine: { token: string; task: string; id: string };
let count = 0;
const reactions = [{ name: 'hold', event: 'session-revoked', do: 'hold', covers: 'workload' }];
async function start(): Promise<void> {
  setting = await startSignalBroker({ reactions });
  mine = await minted(setting.broker, 'agent-7');
  count = 0;
}

/** What a signal about the subject is taken to speak of, and what became of it. */
async function told(subject: unknown, claims?: Record<string, unknown>) {
  expect(await setting.say(setting.idp, subject, { ...(claims && { claims }) })).toBe(202);
  return (await evaluated(setting.broker, (count += 1))).at(-1);
}

const expectNobody = async (subject: unknown) => {
  expect(await told(subject)).toMatchObject({ about: [], state: 'recorded' });
  expect(await isActive(setting.broker, mine)).toBe(true);
};

function writtenKeys(issuer: TestIssuer): string {
  const file = join(temporaryDirectory(), 'jwks.json');
  writeFileSync(file, JSON.stringify(issuer.jwks()));
  return file;
}

const complex = (members: object) => ({ format: 'complex', ...members });
const AGENT_7 = workload('agent-7');
const OLDER = { subject_type: 'iss-sub', iss: 'https://issuer.lab.example', sub: 'agent-7' };

describe('nobody is meant by', () => {
  // Nothing happens to anybody here, so the same credential lives on from case to case.
  beforeAll(start);

  it.each<[string, unknown]>([
    ['no subject', undefined],
    ['a subject of no format', { iss: 'https://issuer.lab.example', sub: 'agent-7' }],
    ['an older form with a member that it does not have', { ...OLDER, tenant: 'other' }],
    ['two forms at once', { ...OLDER, format: 'iss_sub' }],
    ['a complex subject without a format, one member of which is nobody', { user: AGENT_7, group: opaque('g') }],
    ['members that only narrow, and nobody whom they narrow', complex({ session: opaque('s'), device: opaque('d') })],
    ['a complex subject without a format beside an older form', { ...OLDER, user: AGENT_7 }],
    ['a format that is not understood', { format: 'phone_number', phone_number: '+1' }],
    ['a format that lacks a member', { format: 'iss_sub', iss: 'https://issuer.lab.example' }],
    ['a format with a member it does not have', { ...AGENT_7, tenant: 'other' }],
    ['an issuer that is not trusted', { ...AGENT_7, iss: 'https://other-tenant.example' }],
    ['an issuer almost as trusted', { ...AGENT_7, iss: 'https://issuer.lab.example/' }],
    ['an empty subject', { ...AGENT_7, sub: '' }],
    ['a token where a subject should be', { ...AGENT_7, sub: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln' }],
    ['a SPIFFE ID of a domain that is not trusted', { format: 'uri', uri: 'spiffe://other.example/agent-7' }],
    ['an address of a web page', { format: 'uri', uri: 'https://issuer.lab.example/agent-7' }],
    ['an id of no kind', opaque('agent-7')],
    ['an id of our own kind that nothing has', opaque('tsk_aabbbbbbbbbbbbbb')],
    ['a token of another issuer', { format: 'jwt_id', iss: 'https://other.example', jti: 'crd_aabbbbbbbbbbbbbb' }],
    ['no member at all', complex({})],
    ['a tenant alone', complex({ tenant: opaque('lab') })],
    [
      'a member that is not understood beside one that is',
      complex({ workload: AGENT_7, application_instance: opaque('d') }),
    ],
    ['a group beside one that is', complex({ workload: AGENT_7, group: opaque('g') })],
    [
      'a member that is nobody beside one that is',
      complex({ workload: AGENT_7, task: opaque('tsk_aabbbbbbbbbbbbbb') }),
    ],
    ['a member that is no subject', complex({ workload: AGENT_7, user: 'ada' })],
    ['a complex subject within another', complex({ workload: complex({ workload: AGENT_7 }) })],
    ['aliases of nobody', { format: 'aliases', identifiers: [opaque('x'), opaque('y')] }],
    ['aliases within aliases', { format: 'aliases', identifiers: [{ format: 'aliases', identifiers: [AGENT_7] }] }],
    ['aliases with a member more', { format: 'aliases', identifiers: [AGENT_7], tenant: 'x' }],
  ])('%s', async (_name, subject) => {
    await expectNobody(subject);
  });
});

describe('a complex subject', () => {
  beforeEach(start);

  it('is all of its members at once: a task and somebody it does not belong to are nobody', async () => {
    const subject = complex({ task: opaque(mine.task), workload: workload('agent-8') });
    expect(await told(subject)).toMatchObject({
      state: 'recorded',
      reaction: { because: expect.stringMatching(/not known/) },
    });
    expect(await isActive(setting.broker, mine)).toBe(true);
  });

  it('of a workload and a person is not the workload, and not the person', async () => {
    const subject = complex({ application: AGENT_7, user: person('ada') });
    expect(await told(subject)).toMatchObject({
      state: 'recorded',
      reaction: { because: expect.stringMatching(/not known/) },
    });
  });

  it('that holds together is what its narrowest member is', async () => {
    const subject = complex({ session: opaque(mine.id), task: opaque(mine.task), workload: AGENT_7 });
    expect(await told(subject)).toMatchObject({ state: 'reacted', reaction: { selector: { value: 'lab:agent-7' } } });
  });

  it('that names the same twice is that one', async () => {
    const subject = complex({ workload: AGENT_7, application: AGENT_7 });
    expect(await told(subject)).toMatchObject({ state: 'reacted', about: [{ value: 'lab:agent-7' }] });
  });
});

describe('aliases', () => {
  beforeEach(start);

  it('are one subject: the first that is known, whatever else is said', async () => {
    const subject = { format: 'aliases', identifiers: [opaque('unknown'), AGENT_7, workload('agent-8')] };
    expect((await told(subject))?.about).toEqual([{ kind: 'workload', value: 'lab:agent-7' }]);
  });

  it('are taken by a name that holds wherever the person is, before an address', async () => {
    const email = { format: 'email', email: 'ada@example.com' };
    const subject = { format: 'aliases', identifiers: [email, person('ada')] };
    expect((await told(subject))?.about).toEqual([{ kind: 'principal', value: 'staff:ada' }]);
  });
});

describe('a transmitter that may speak of persons alone', () => {
  const forAda = async ({ broker }: SignalBroker) =>
    minted(broker, 'agent-7', {
      subject_token: await broker.person('ada'),
      actor_token: await broker.identity('agent-7'),
      actor_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    });
  const idp = { about: ['staff'] };

  it.each([AGENT_7, { format: 'uri', uri: 'spiffe://prod.example/x' }])('says nothing about %j', async (subject) => {
    setting = await startSignalBroker({ reactions }, { idp });
    await setting.say(setting.idp, subject);
    expect(await evaluated(setting.broker, 1)).toMatchObject([{ about: [], state: 'recorded' }]);
  });

  it('says nothing about a task of somebody else', async () => {
    setting = await startSignalBroker({ reactions }, { idp });
    const { task, id } = await minted(setting.broker, 'agent-7');
    for (const subject of [opaque(task), opaque(id)]) await setting.say(setting.idp, subject);
    expect((await evaluated(setting.broker, 2)).map(({ about }) => about)).toEqual([[], []]);
  });

  it.each(['workload', 'issuer'])('does not reach the %s that serves a person', async (covers) => {
    setting = await startSignalBroker({ reactions: [{ ...reactions[0], covers }] }, { idp });
    const { broker } = setting;
    const [own, hers] = [await minted(broker, 'agent-7'), await forAda(setting)];
    await setting.say(setting.idp, opaque(hers.task));
    expect(await evaluated(broker, 1)).toMatchObject([{ about: [{ kind: 'task' }], state: 'recorded' }]);
    expect([await isActive(broker, own), await isActive(broker, hers)]).toEqual([true, true]);
  });

  it.each([
    ['principal', 'cutoff'],
    ['task', 'end'],
  ])('reaches the %s of a person that it speaks of, and no other', async (covers, does) => {
    setting = await startSignalBroker({ reactions: [{ ...reactions[0], covers, do: does }] }, { idp });
    const { broker } = setting;
    const [own, hers] = [await minted(broker, 'agent-7'), await forAda(setting)];
    await setting.say(setting.idp, opaque(hers.id));
    expect(await evaluated(broker, 1)).toMatchObject([{ state: 'reacted' }]);
    expect([await isActive(broker, own), await isActive(broker, hers)]).toEqual([true, false]);
  });
});

describe('a session', () => {
  const OTHERS = { name: 'corp', kind: 'oidc', represents: 'person' };
  const JWT = 'urn:ietf:params:oauth:token-type:jwt';

  it('of one issuer does not end that of another by the same id, nor what a workload says of itself', async () => {
    const clock = handClock();
    const corp = await createIssuer({ clock, url: 'https://corp.example' });
    const trust = [{ ...OTHERS, issuer: corp.url, jwks: { file: writtenKeys(corp) } }];
    const cut = { name: 'logout', event: 'session-revoked', do: 'cutoff' };
    setting = await startSignalBroker({ reactions: [cut] }, { idp: { about: ['staff', 'lab'] }, trust, clock });
    const { broker } = setting;
    const forToken = async (token: string, sid?: string) =>
      minted(broker, 'agent-7', {
        subject_token: token,
        actor_token: await broker.identity('agent-7', { sid }),
        actor_token_type: JWT,
      });
    const hers = await forToken(await broker.person('ada', { sid: 'one' }));
    const his = await forToken(await corp.token({ sub: 'bob', aud: broker.url, sid: 'one' }));
    const another = await forToken(await broker.person('eve', { sid: 'two' }), 'one');
    expect(await setting.say(setting.idp, opaque('one'))).toBe(202);
    expect(await evaluated(broker, 1)).toMatchObject([{ about: [{ kind: 'session', value: 'staff:one' }] }]);
    const alive = await Promise.all([hers, his, another].map((one) => isActive(broker, one)));
    expect(alive).toEqual([false, true, true]);
  });
});
