/** `mayfly login` at a real OpenID provider, and a broker that takes what it gives. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../src/cli/run.js';
import { browse } from '../support/browser.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { freePort } from '../../scripts/free-port.js';
import { until } from '../support/until.js';

let broker: TestBroker;
let provider: string;
let child: ChildProcess;

beforeAll(async () => {
  const port = await freePort();
  provider = `http://127.0.0.1:${port}`;
  child = spawn(process.execPath, [resolve('fakes/openid-provider.mjs'), String(port)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout!, 'data');
  const trust = [
    {
      name: 'people',
      kind: 'oidc',
      issuer: provider,
      audiences: ['mayfly-cli'],
      represents: 'person',
      claims: ['email'],
    },
  ];
  const policies = `@id("ann-reads") permit (principal == Person::"people:ann", action == Action::"readRevocations", resource);`;
  broker = await startBroker({
    clock: handClock(Date.now()),
    trust: trust.map((one) => ({ ...one, algorithms: ['RS256'] })),
    policies,
  });
});
afterAll(async () => {
  child.kill();
  await once(child, 'exit');
});

/** Starts a command. What it says can be read while it runs. */
function mayfly(env: Record<string, string>, ...argv: string[]) {
  const said: string[] = [];
  const note = (text: string) => void said.push(text);
  const code = run(argv, { out: note, err: note, clock: broker.clock, env });
  return { code, said: () => said.join('\n') };
}

const first = () => ['--broker', broker.url, '--provider', provider, '--client-id', 'mayfly-cli'];
const emptyState = () => ({ XDG_STATE_HOME: temporaryDirectory() });
const fileIn = ({ XDG_STATE_HOME }: { XDG_STATE_HOME: string }) => join(XDG_STATE_HOME, 'mayfly/login.json');
const tokenIn = (state: { XDG_STATE_HOME: string }) =>
  (JSON.parse(readFileSync(fileIn(state), 'utf8')) as { token: string }).token;
/** The provider goes by the time of day: on a busy machine its tokens would come from the future of the broker. */
const catchUp = () => broker.advance(Date.now() - broker.clock.now());
const asAnn = { login: 'ann', password: 'x' };

async function addressSaid(said: () => string): Promise<string> {
  await until(() => /https?:\S+$/m.test(said()), 'no address is shown');
  return /^http\S+$/m.exec(said())?.[0] ?? '';
}

describe('mayfly login', () => {
  it('by a browser: the broker knows the person, and the token is in one file that nobody else can read', async () => {
    const state = emptyState();
    const { code, said } = mayfly(state, 'login', ...first());
    await browse(await addressSaid(said), asAnn);
    expect(await code).toBe(0);
    expect(said()).toMatch(/You are ann\S* at http:\S+ until \S+Z, for http/);
    expect(said()).not.toContain(tokenIn(state));
    expect(statSync(fileIn(state)).mode & 0o777).toBe(0o600);
    await catchUp();

    const holds = mayfly(state, 'holds');
    expect([await holds.code, holds.said()]).toEqual([0, 'Nothing is held.']);
    const revoking = mayfly(state, 'revoke', 'all', '--reason', 'r', '--yes');
    expect([await revoking.code, revoking.said()]).toEqual([1, expect.stringMatching(/^access_denied: /)]);
  });

  it('by a code on a host without a browser', async () => {
    const state = emptyState();
    const { code, said } = mayfly(state, 'login', '--device', ...first());
    await until(() => said().includes('code there: '), 'no code is shown');
    const [, address = '', typed = ''] = /Open (\S+) in a browser, and type this code there: (\S+)/.exec(said()) ?? [];
    await browse(address, { ...asAnn, user_code: typed });
    expect(await code).toBe(0);
    await catchUp();
    const holds = mayfly(state, 'holds');
    expect([await holds.code, holds.said()]).toEqual([0, 'Nothing is held.']);
  });

  it('tells nothing to whoever calls the redirect without the state, and waits on', async () => {
    const state = emptyState();
    const { code, said } = mayfly(state, 'login', ...first());
    const address = new URL(await addressSaid(said));
    const forged = `${address.searchParams.get('redirect_uri') ?? ''}?code=stolen&state=guessed`;
    expect((await fetch(forged)).status).toBe(404);
    // No address at all, as no browser sends it: an exception here would end the login.
    const { hostname: host, port } = new URL(forged);
    const [odd] = (await once(get({ host, port, path: '//', agent: false }), 'response')) as [IncomingMessage];
    expect(odd.resume().statusCode).toBe(404);
    await browse(address.href, asAnn);
    expect(await code).toBe(0);

    // The second time it needs no options.
    const again = mayfly(state, 'login');
    await browse(await addressSaid(again.said), asAnn);
    expect(await again.code).toBe(0);
  });

  it.each([
    ['a person who says no', 'access_denied'],
    ['a code that is none', 'invalid_grant'],
  ])('fails in a sentence after %s, and keeps nothing', async (_what, reason) => {
    const state = emptyState();
    const { code, said } = mayfly(state, 'login', ...first());
    const { searchParams } = new URL(await addressSaid(said));
    const back = new URL(searchParams.get('redirect_uri') ?? '');
    back.searchParams.set('state', searchParams.get('state') ?? '');
    back.searchParams.set('iss', provider);
    if (reason === 'access_denied') back.searchParams.set('error', reason);
    else back.searchParams.set('code', 'forged');
    await fetch(back);
    expect(await code).toBe(1);
    expect(said()).toMatch(new RegExp(`The login failed: ${reason}`));
    expect(() => statSync(fileIn(state))).toThrow('ENOENT');
  });

  it.each([
    [['login'], /The first login needs/],
    [['login', '--provider', 'http://idp.example'], /http only on loopback/],
    [
      ['login', '--broker', 'http://mayfly.example', '--provider', 'https://idp.example', '--client-id', 'a'],
      /origin such as/,
    ],
    [['login', '--port', '99999'], /number of a port/],
  ])('refuses %j before anybody is asked', async (argv, why) => {
    const { code, said } = mayfly(emptyState(), ...argv);
    expect([await code, said()]).toEqual([1, expect.stringMatching(why)]);
  });
});
