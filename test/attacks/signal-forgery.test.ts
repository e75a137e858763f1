/** Somebody who has no key of a transmitter says that a session is revoked; or uses an event for what it is not. */
import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { forgeToken, newSigningKey } from '../support/issuers/issuer.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';
import { audited, push, startSignalBroker, type SignalBroker } from '../support/brokers/signals.js';
import { SIGNALS, SESSION_REVOKED, workload } from '../support/issuers/transmitter.js';

let setting: SignalBroker;
beforeAll(async () => {
  const reactions = [{ name: 'hold', event: 'session-revoked', do: 'hold', covers: 'workload' }];
  setting = await startSignalBroker({ reactions });
});

const claims = () => ({
  iss: setting.idp.issuer.url,
  aud: SIGNALS,
  iat: Math.floor(setting.broker.clock.now() / 1000),
  jti: 'forged',
  sub_id: workload('agent-7'),
  events: { [SESSION_REVOKED]: {} },
});
const TYP = { typ: 'secevent+jwt' };

describe('changes nothing', () => {
  it.each<[string, () => string | Promise<string>, string]>([
    ['unsigned', () => forgeToken({ ...TYP, alg: 'none' }, claims(), () => ''), 'invalid_request'],
    [
      '"none" with something for a signature',
      () => forgeToken({ ...TYP, alg: 'none' }, claims(), () => 'AAAA'),
      'authentication_failed',
    ],
    [
      'signed with the public key as a secret',
      () => {
        const { publicJwk, kid } = setting.idp.issuer.key();
        const secret = JSON.stringify(publicJwk);
        return forgeToken({ ...TYP, alg: 'HS256', kid }, claims(), (input) =>
          createHmac('sha256', secret).update(input).digest(),
        );
      },
      'authentication_failed',
    ],
    [
      'signed by a key that it brings along',
      async () => {
        const key = await newSigningKey('ES256', 'mine');
        return setting.idp.set(workload('agent-7'), {
          key,
          header: { jwk: key.publicJwk, jku: 'https://evil.example/jwks' },
        });
      },
      'invalid_key',
    ],
    [
      'signed by another transmitter in its name',
      () => setting.edr.set(workload('agent-7'), { claims: { iss: setting.idp.issuer.url } }),
      'authentication_failed',
    ],
    [
      'an identity token of the same issuer',
      () => setting.idp.issuer.token({ ...claims(), exp: undefined, sub: undefined }),
      'invalid_request',
    ],
  ])('%s', async (_name, forged, err) => {
    const { broker } = setting;
    const reply = await push(broker, await forged());
    expect([reply.status, reply.body]).toMatchObject([400, { err }]);
    expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(200);
    expect(await audited(broker, 'signal.evaluated')).toEqual([]);
  });
});

it('an event is no proof of identity, though its issuer is trusted for workloads too', async () => {
  const { broker, idp } = setting;
  const event = await idp.set(workload('agent-7'), {
    key: broker.lab.key(),
    claims: { iss: broker.lab.url, aud: broker.url, sub: 'agent-7', team: 'sre', exp: claims().iat + 300 },
  });
  expectOAuthRefusal(await broker.exchange(event), 400, 'invalid_request');
  expect((await broker.post('/signals/json', {}, event)).status).toBe(401);
});
