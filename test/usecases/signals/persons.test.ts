/** Persons by address: a signal finds the address that the person's own token contained (`trust[].claims` must contain `email`). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { isActive, evaluated, minted, startSignalBroker, type SignalBroker } from '../../support/brokers/signals.js';

const HOLD = { name: 'hold', event: 'session-revoked', do: 'hold', covers: 'principal' };
let setting: SignalBroker;
beforeEach(async () => {
  setting = await startSignalBroker({ reactions: [HOLD] }, { idp: { about: ['staff'] } });
});

const asActor = async (sub: string, email: string) => ({
  subject_token: await setting.broker.person(sub, { email }),
  actor_token: await setting.broker.identity('agent-7'),
  actor_token_type: 'urn:ietf:params:oauth:token-type:jwt',
});
const forPerson = async (sub: string, email: string) => minted(setting.broker, 'agent-7', await asActor(sub, email));
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
