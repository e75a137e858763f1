/** What strangers can make the broker ask of the provider where approvers sign in. */
import type { ServerResponse } from 'node:http';
import { expect, it } from '@jest/globals';
import { openBrowserLogin } from '../../../src/identity/browser-login.js';
import { noProxy } from '../../../src/outbound/proxy.js';
import { handClock } from '../../support/clock.js';
import { json, serve } from '../../support/policy-engines/decision-point.js';
import { until } from '../../support/until.js';

async function providerThat(isUp: () => boolean) {
  const asked: string[] = [];
  const waiting: ServerResponse[] = [];
  const { url } = await serve((request, response) => {
    request.resume();
    asked.push(request.url ?? '');
    if (request.url === '/token') waiting.push(response);
    else if (!isUp()) response.writeHead(500).end();
    else
      json(response, {
        issuer: `http://${request.headers.host}`,
        authorization_endpoint: `http://${request.headers.host}/authorize`,
        token_endpoint: `http://${request.headers.host}/token`,
      });
  });
  const clock = handClock();
  const login = openBrowserLogin({
    page: { trust: 'people', clientId: 'mayfly', scopes: [], authenticates: 'private_key_jwt' },
    provider: url,
    redirectUri: 'https://mayfly.example/approvals/signed-in',
    clock,
    clockSkewSeconds: 60,
    proxyFor: noProxy,
    sign: () => Promise.resolve('signed'),
    assertWithin: () => Promise.resolve(),
  });
  const secrets = { state: 'x'.repeat(43), nonce: 'y'.repeat(43), verifier: 'z'.repeat(43) };
  return {
    asked: (path: string) => asked.filter((one) => one.startsWith(path)).length,
    waiting,
    refuseAll: () => {
      for (const response of waiting.splice(0)) {
        response.statusCode = 400;
        json(response, { error: 'invalid_grant' });
      }
    },
    clock,
    begin: () => login.begin(secrets),
    finish: () =>
      login.finish(secrets, new URL(`https://mayfly.example/approvals/signed-in?code=c&state=${secrets.state}`)),
  };
}

const UNAVAILABLE = { code: 'temporarily_unavailable' };

it('a provider that is down is asked once in five seconds, however many want to sign in', async () => {
  let isUp = false;
  const provider = await providerThat(() => isUp);
  const refused = await Promise.allSettled(Array.from({ length: 20 }, () => provider.begin()));
  for (const one of refused) expect(one).toMatchObject({ status: 'rejected', reason: UNAVAILABLE });
  await expect(provider.begin()).rejects.toMatchObject(UNAVAILABLE);
  const asked = provider.asked('/.well-known');
  isUp = true;
  await expect(provider.begin()).rejects.toMatchObject(UNAVAILABLE);
  expect(provider.asked('/.well-known')).toBe(asked);
  expect(asked).toBe(1);
  provider.clock.advance(5_001);
  expect((await provider.begin()).pathname).toBe('/authorize');
});

it('thirty-two logins wait for the provider, and the next is told to come later', async () => {
  const provider = await providerThat(() => true);
  const logins = Array.from({ length: 32 }, () => provider.finish().catch((error: unknown) => error));
  await until(() => provider.waiting.length === 32, 'the logins do not arrive');
  await expect(provider.finish()).rejects.toMatchObject({ ...UNAVAILABLE, details: { isOutage: false } });
  provider.refuseAll();
  for (const error of await Promise.all(logins)) expect(error).toMatchObject({ code: 'access_denied' });
  const next = provider.finish().catch((error: unknown) => error);
  await until(() => provider.waiting.length === 1, 'the next login does not arrive');
  provider.refuseAll();
  expect(await next).toMatchObject({ code: 'access_denied' });
});
