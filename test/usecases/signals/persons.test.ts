/**
 * Persons by address: a signal finds the address that the person's own token contained (`trust[].claims` must contain `email`). And
 * their login sessions, by the `sid` of their tokens.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { isActive, evaluated, minted, startSignalBroker, type SignalBroker } from '../../support/brokers/signals.js';
import { opaque, person, RISK } from '../../support/issuers/transmitter.js';

const HOLD = { name: 'hold', event: 'session-revoked', do: 'hold', covers: 'principal' };
let setting: SignalBroker;
beforeEach(async () => {
  setting = await startSignalBroker({ reactions: [HOLD] }, { idp: { about: ['staff'] } });
});

const asActor = async (sub: string, email: string, sid?: unknown) => ({
  subject_token: await setting.broker.person(sub, { email, sid }),
  actor_token: await setting.broker.identity('agent-7'),
  actor_token_type: 'urn:ietf:params:oauth:token-type:jwt',
});
const forPerson = async (sub: string, email: string, sid?: unknown) =>
  minted(setting.broker, 'agent-7', await asActor(sub, email, sid));
const ADA = 'Ada@example.com';

describe.each([
  ['email', { format: 'email', email: 'ada@EXAMPLE.com' }],
  ['account', { format: 'account', uri: 'acct:ada@example.com' }],
])('a subject by %s', (_format, subject) => {
  it('holds the person, and nobody else', async () => {
    const [hers, his] = [await forPerson('ada', ADA), await forPerson('bob', 'bob@example.com')];
    await setting.say(setting.idp, subject);
    expect(await evaluated(setting.broker, 1)).toMatchObject([
      { state: 'reacted', about: [{ kind: 'principal', value: 'email:staff/ada@example.com' }] },
    ]);
    expect([await isActive(setting.broker, hers), await isActive(setting.broker, his)]).toEqual([false, true]);
  });

  it('holds whoever comes later with that address', async () => {
    await setting.say(setting.idp, subject);
    await evaluated(setting.broker, 1);
    const { broker } = setting;
    expect((await broker.exchange('', await asActor('ada', ADA))).body).toMatchObject({ retry: 'after-lift' });
    expect((await broker.exchange('', await asActor('bob', 'bob@example.com'))).status).toBe(200);
  });
});

it('is known by its id too, and the id of a person is no address of another', async () => {
  const hers = await forPerson('ada@example.com', 'other@example.com');
  await setting.say(setting.idp, { format: 'email', email: 'ada@example.com' });
  await evaluated(setting.broker, 1);
  expect(await isActive(setting.broker, hers)).toBe(true);
  await setting.say(setting.idp, { format: 'iss_sub', iss: 'https://staff.example', sub: 'ada@example.com' });
  await evaluated(setting.broker, 2);
  expect(await isActive(setting.broker, hers)).toBe(false);
});

describe('a session that its issuer revokes', () => {
  const END = { name: 'logout', event: 'session-revoked', do: 'cutoff' };
  const RISKY = { name: 'risky', event: 'risk-level-change', do: 'cutoff' };
  const complex = (user: object, more: object) => ({ format: 'complex', user, ...more });
  const session = (id: string) => ({ session: opaque(id) });
  const BY_ADDRESS = { format: 'email', email: 'ada@example.com' };
  const S_1 = { kind: 'session', value: 'staff:s-1' };
  const start = async (reactions: object[], idp: object = {}) => {
    setting = await startSignalBroker({ reactions }, { idp: { about: ['staff'], ...idp } });
  };
  const alive = (all: readonly { token: string }[]) => Promise.all(all.map((one) => isActive(setting.broker, one)));
  const everybody = async () => [
    await forPerson('ada', ADA, 's-1'),
    await forPerson('ada', ADA, 's-2'),
    await forPerson('bob', 'bob@example.com', 's-3'),
  ];
  beforeEach(() => start([END]));

  it.each([
    ['authentik', BY_ADDRESS],
    ['Keycloak', person('ada')],
    ['authentik, after the address has changed', { format: 'email', email: 'countess@example.com' }],
  ])('ends what hangs on it, and nothing else: as %s says it', async (_vendor, user) => {
    const issued = await everybody();
    expect(await setting.say(setting.idp, complex(user, session('s-1')))).toBe(202);
    expect(await evaluated(setting.broker, 1)).toMatchObject([{ state: 'reacted', reaction: { selector: S_1 } }]);
    expect(await alive(issued)).toEqual([false, true, true]);
    const { broker } = setting;
    expect((await broker.exchange('', await asActor('ada', ADA, 's-1'))).body).toMatchObject({ retry: 'later' });
    expect((await broker.exchange('', await asActor('ada', ADA, 's-2'))).status).toBe(200);
  });

  it('ends what was issued under a task of another session, and leaves that task', async () => {
    const first = await forPerson('ada', ADA, 's-1');
    const under = { purpose: undefined, task_id: first.task };
    const second = await minted(setting.broker, 'agent-7', { ...(await asActor('ada', ADA, 's-2')), ...under });
    await setting.say(setting.idp, complex(person('ada'), session('s-2')));
    await evaluated(setting.broker, 1);
    expect(await alive([first, second])).toEqual([true, false]);
    await setting.say(setting.idp, complex(person('ada'), session('s-1')));
    await evaluated(setting.broker, 2);
    expect(await alive([first])).toEqual([false]);
    const third = await setting.broker.exchange(await setting.broker.identity('agent-7'), under);
    expect(third.body).toMatchObject({ error: 'invalid_grant' });
  });

  it.each([
    ['is not known here', session('s-9')],
    ['is said with a device and a tenant', { ...session('s-9'), device: opaque('d'), tenant: opaque('t') }],
    ['is said by a device alone', { device: opaque('d') }],
  ])('that %s means the person', async (_name, members) => {
    const issued = await everybody();
    await setting.say(setting.idp, complex(BY_ADDRESS, members));
    expect(await evaluated(setting.broker, 1)).toMatchObject([
      { state: 'reacted', about: [{ kind: 'principal', value: 'email:staff/ada@example.com' }] },
    ]);
    expect(await alive(issued)).toEqual([false, false, true]);
  });

  it.each([
    ['of somebody else is nobody', complex(person('bob'), session('s-1')), [true, true, true]],
    ['is enough alone', opaque('s-1'), [false, true, true]],
    ['is no name of a user', { format: 'complex', user: opaque('s-1') }, [true, true, true]],
  ])('%s', async (_name, subject, expected) => {
    const issued = await everybody();
    await setting.say(setting.idp, subject);
    await evaluated(setting.broker, 1);
    expect(await alive(issued)).toEqual(expected);
  });

  it('reaches the person where the reaction covers them', async () => {
    await start([{ ...END, covers: 'principal' }]);
    const issued = await everybody();
    await setting.say(setting.idp, complex(BY_ADDRESS, session('s-1')));
    expect(await evaluated(setting.broker, 1)).toMatchObject([{ reaction: { selector: { value: 'staff:ada' } } }]);
    expect(await alive(issued)).toEqual([false, false, true]);
  });

  it('means the person where its id could not be revoked by name', async () => {
    const issued = [await forPerson('ada', ADA, 'no\nname'), await forPerson('ada', ADA, 7)];
    await setting.say(setting.idp, complex(person('ada'), session('no\nname')));
    await evaluated(setting.broker, 1);
    expect(await alive(issued)).toEqual([false, false]);
  });

  it.each([
    ['is nobody in any other event', {}, [true, true, true]],
    ['is passed over where the entry says so', { ignoreMembers: ['device'] }, [false, false, true]],
  ])('a device %s', async (_name, idp, expected) => {
    await start([RISKY], idp);
    const issued = await everybody();
    const wish = { event: RISK, facts: { current_level: 'HIGH' } };
    await setting.say(setting.idp, complex(person('ada'), { device: opaque('d') }), wish);
    await evaluated(setting.broker, 1);
    expect(await alive(issued)).toEqual(expected);
  });

  it('can be revoked by hand, is a cause of what hangs on it, and a misspelt one is refused', async () => {
    const { broker } = setting;
    const soc = await broker.identity('soc');
    const issued = await everybody();
    const { body } = await broker.get(`/credentials/${issued[0]?.id ?? ''}`, soc);
    expect((body as { causes: object[] }).causes).toContainEqual(S_1);
    const revoke = (value: string) =>
      broker.post('/revocations', { selector: { kind: 'session', value }, reason: 'stolen laptop' }, soc);
    expect((await revoke('s-1')).body).toMatchObject({
      detail: expect.stringMatching(/<trust name>:<sid>.*staff:s-1/),
    });
    expect((await revoke('staff:s-8')).body).toMatchObject({ detail: expect.stringMatching(/Nothing was ever seen/) });
    expect((await revoke('staff:s-1')).body).toMatchObject({
      seen: true,
      effect: 'hold',
      affected: { credentials: 1 },
    });
    expect(await alive(issued)).toEqual([false, true, true]);
  });
});
