/** POST /signals: RFC 8935, with SETs as SSF 1.0 restricts them. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { newSigningKey } from '../support/issuers/issuer.js';
import { evaluated, push, startSignalBroker, type SignalBroker } from '../support/brokers/signals.js';
import { SET_TYPE, workload, type SetWish } from '../support/issuers/transmitter.js';

let setting: SignalBroker;
beforeAll(async () => {
  setting = await startSignalBroker();
});

const subject = workload('agent-7');
const pushed = async (wish: SetWish = {}) => push(setting.broker, await setting.idp.set(subject, wish));

function expectRefusal(reply: Awaited<ReturnType<typeof push>>, err: string, description: RegExp) {
  expect([reply.status, reply.body]).toEqual([400, { err, description: expect.stringMatching(description) }]);
  expect(reply.headers.get('content-type')).toMatch('application/json');
  expect(reply.headers.get('content-language')).toBe('en');
  expect(reply.headers.get('cache-control')).toBe('no-store');
}

describe('an event that is taken', () => {
  it('is answered 202, and nothing more', async () => {
    const reply = await pushed();
    expect([reply.status, reply.text, reply.headers.get('content-type')]).toEqual([202, '', null]);
  });

  it('is taken with a type written as a media type, and parameters of the content type', async () => {
    const set = await setting.idp.set(subject, { header: { typ: 'application/secevent+jwt' } });
    const reply = await push(setting.broker, set, { 'content-type': `${SET_TYPE}; charset=utf-8` });
    expect(reply.status).toBe(202);
  });

  it('is taken with the newline of the file from which it was sent', async () => {
    expect((await push(setting.broker, `${await setting.idp.set(subject)}\n`)).status).toBe(202);
  });

  it('is taken with times that have a fraction', async () => {
    const now = setting.broker.clock.now() / 1000;
    const set = await setting.idp.set(subject, { claims: { iat: now - 0.5, toe: now - 1.25 } });
    expect((await push(setting.broker, set)).status).toBe(202);
  });

  it.each([
    ['a number, as in the example of the specification', { txn: 8675309 }],
    ['null', { txn: null }],
    ['absent, and toe is a date', { toe: '2027-01-31T09:30:00Z' }],
    ['claims that no specification has', { txn: { deep: [1] }, events_count: 1, exp_after: 'x', azp: 7 }],
  ])('is taken with claims that nobody reads: txn is %s', async (_name, claims) => {
    expect((await pushed({ claims })).status).toBe(202);
  });

  it.each([
    ['verification', 'https://schemas.openid.net/secevent/ssf/event-type/verification', 'verification'],
    ['stream-updated', 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated', 'stream-updated'],
    ['one that is not known', 'https://example.com/event-type/rained', 'unknown'],
  ])('is recorded and nothing else: %s', async (_name, uri, event) => {
    const { broker, idp } = await startSignalBroker({ reactions: [holdWorkload] });
    expect((await push(broker, await idp.set(subject, { event: uri, facts: { state: 'x' } }))).status).toBe(202);
    expect(await evaluated(broker, 1)).toMatchObject([{ event, state: 'recorded', source: 'idp' }]);
    expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(200);
  });
});

describe('an event in the form that its vendor sends', () => {
  const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
  const OKTA_RISK = 'https://schemas.okta.com/secevent/okta/event-type/user-risk-change';
  const ADA = { kind: 'principal', value: 'staff:ada' };
  const ADDRESS = { kind: 'principal', value: 'email:staff/ada@example.com' };
  const google = { subject_type: 'iss-sub', iss: 'https://staff.example', sub: 'ada' };
  const okta = { user: { format: 'email', email: 'ada@example.com' } };

  it.each<[string, object, object]>([
    [`${RISC}account-purged`, { subject: google }, { event: 'account-purged', level: 'HIGH', about: [ADA] }],
    [
      `${RISC}account-credential-change-required`,
      { subject: google },
      { event: 'account-credential-change-required', level: 'HIGH', about: [ADA] },
    ],
    [
      'https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked',
      { subject: google },
      { event: 'tokens-revoked', level: 'HIGH', about: [ADA] },
    ],
    [
      'https://schemas.openid.net/secevent/caep/event-type/assurance-level-change',
      { subject: google, change_direction: 'decrease' },
      { event: 'assurance-level-change', level: 'HIGH' },
    ],
    [
      'https://schemas.openid.net/secevent/caep/event-type/assurance-level-change',
      { subject: google, change_direction: 'increase' },
      { event: 'assurance-level-change', level: 'LOW' },
    ],
    [
      OKTA_RISK,
      { subject: okta, current_level: 'low' },
      { event: 'risk-level-change', level: 'LOW', about: [ADDRESS] },
    ],
    [
      OKTA_RISK,
      { subject: okta, current_level: 'high' },
      { event: 'risk-level-change', level: 'HIGH', about: [ADDRESS] },
    ],
    ['https://schemas.okta.com/secevent/okta/event-type/ip-change', { subject: okta }, { event: 'unknown', about: [] }],
  ])('is understood: %s %p', async (event, facts, expected) => {
    const { broker, idp } = await startSignalBroker({}, { idp: { events: { [OKTA_RISK]: 'risk-level-change' } } });
    const set = await idp.set(undefined, { event, facts });
    expect((await push(broker, set)).status).toBe(202);
    expect(await evaluated(broker, 1)).toMatchObject([expected]);
  });

  it('means nothing from a transmitter whose entry does not name it', async () => {
    const { broker, edr } = await startSignalBroker({}, { idp: { events: { [OKTA_RISK]: 'risk-level-change' } } });
    await push(broker, await edr.set(undefined, { event: OKTA_RISK, facts: { subject: okta } }));
    expect(await evaluated(broker, 1)).toMatchObject([{ event: 'unknown', about: [] }]);
  });
});

const holdWorkload = { name: 'hold', event: 'session-revoked', do: 'hold', covers: 'workload' };

describe('an event that is refused', () => {
  it.each<[string, SetWish, string, RegExp]>([
    ['the type of any JWT', { header: { typ: 'JWT' } }, 'invalid_request', /type secevent\+jwt/],
    ['no type', { header: { typ: undefined } }, 'invalid_request', /type secevent\+jwt/],
    ['exp', { claims: { exp: 1_900_000_000 } }, 'invalid_request', /\(exp\)/],
    ['exp that says nothing', { claims: { exp: null } }, 'invalid_request', /\(exp\)/],
    ['sub', { claims: { sub: 'agent-7' } }, 'invalid_request', /\(sub\)/],
    ['no jti', { claims: { jti: undefined } }, 'invalid_request', /\(jti\)/],
    ['an iat that is no time', { claims: { iat: -0.5 } }, 'invalid_request', /\(iat\)/],
    ['no iat', { claims: { iat: undefined } }, 'invalid_request', /\(iat\)/],
    ['no event', { claims: { events: {} } }, 'invalid_request', /exactly one/],
    ['several events', { claims: { events: { 'https://a': {}, 'https://b': {} } } }, 'invalid_request', /exactly one/],
    ['an event that is no object', { claims: { events: { 'https://a': 'x' } } }, 'invalid_request', /\(events/],
    ['a time to come', { claims: { iat: 1_893_456_000 + 6 } }, 'invalid_request', /in the future/],
    ['a time long past', { claims: { iat: 1_893_456_000 - 28_801 } }, 'invalid_request', /too long ago/],
    ['an extension that must be understood', { header: { crit: ['b64'], b64: true } }, 'invalid_request', /extension/],
    ['another audience', { claims: { aud: 'https://other.example' } }, 'invalid_audience', /not addressed/],
    [
      'an audience beside ours',
      { claims: { aud: ['https://mayfly.example/signals', 'x'] } },
      'invalid_audience',
      /alone/,
    ],
    ['no audience', { claims: { aud: undefined } }, 'invalid_request', /\(aud\)/],
    ['an issuer nobody knows', { claims: { iss: 'https://evil.example' } }, 'invalid_issuer', /No transmitter/],
    ['an issuer within a list', { claims: { iss: ['https://idp.example'] } }, 'invalid_issuer', /No transmitter/],
  ])('has %s', async (_name, wish, err, description) => {
    expectRefusal(await pushed(wish), err, description);
  });

  it('is signed by a key that its issuer does not have', async () => {
    const key = await newSigningKey('ES256', 'never-published');
    expectRefusal(await pushed({ key }), 'invalid_key', /names no key/);
  });

  it('is signed by another key under the name of one that its issuer has', async () => {
    const key = await newSigningKey('ES256', setting.idp.issuer.key().kid);
    expectRefusal(await pushed({ key }), 'authentication_failed', /not signed by a key/);
  });

  it.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['JSON', '{"events":{}}'],
    ['a token with space around it', ' a.b.c '],
    ['a token of no JSON', 'YQ.YQ.YQ'],
  ])('is %s', async (_name, body) => {
    expectRefusal(await push(setting.broker, body), 'invalid_request', /./);
  });
});

describe('what is no event at all', () => {
  it.each(['application/json', 'application/jwt', 'text/plain', ''])('is 415 as %p', async (type) => {
    const reply = await push(setting.broker, await setting.idp.set(subject), { 'content-type': type });
    expect([reply.status, reply.body]).toMatchObject([415, { err: 'invalid_request' }]);
    expect(reply.headers.get('content-language')).toBe('en');
  });

  it('is 413 beyond 16 KiB, be it a megabyte', async () => {
    const reply = await push(setting.broker, 'a'.repeat(1_000_000));
    expect([reply.status, reply.body]).toEqual([
      413,
      { err: 'invalid_request', description: expect.stringContaining('16384') },
    ]);
  });

  it('is 405 by another method than those there are', async () => {
    expect((await setting.broker.send('/signals', { method: 'DELETE' })).status).toBe(405);
  });
});

it('a transmitter that sends too many new events must wait; repetitions do not count', async () => {
  const { broker, idp } = await startSignalBroker({}, { idp: { perMinute: 2 } });
  const first = await idp.set(subject);
  expect((await push(broker, first)).status).toBe(202);
  for (let times = 0; times < 5; times += 1) expect((await push(broker, first)).status).toBe(202);
  expect((await push(broker, await idp.set(subject))).status).toBe(202);
  const reply = await push(broker, await idp.set(subject));
  expect([reply.status, Number(reply.headers.get('retry-after')) > 0]).toEqual([429, true]);
});
