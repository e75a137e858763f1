/** A broker with a page for approvers, and the real OpenID provider (oidc-provider, unmodified) where they sign in. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { afterAll } from '@jest/globals';
import { PlainBrowser } from '../../../scripts/demo/plain-browser.js';
import { startBroker, type BrokerWish, type TestBroker } from '../brokers/http.js';
import { handClock } from '../clock.js';
import { freePort } from '../../../scripts/free-port.js';

export interface ApproverPage {
  broker: TestBroker;
  provider: string;
  /** The provider goes by the time of day: on a busy machine its tokens would come from the future of the broker. */
  catchUp(): Promise<void>;
  /** Signs in as `<login>`, whose groups follow after dots: `ann.sre-oncall`. Returns the browser, on the page that it then shows. */
  signedIn(login: string, path?: string): Promise<PlainBrowser>;
  endProvider(): Promise<void>;
}

export const PAGE_CLIENT = 'mayfly-approvals';

/** @param wish `config` is added to that of the page. */
export async function startApproverPage(
  wish: Omit<BrokerWish, 'config'> & { config?: Record<string, unknown> } = {},
): Promise<ApproverPage> {
  const port = await freePort();
  const provider = `http://127.0.0.1:${port}`;
  const people = {
    name: 'people',
    kind: 'oidc',
    issuer: provider,
    audiences: [PAGE_CLIENT],
    represents: 'person',
    algorithms: ['RS256'],
    groups: { claim: 'groups' },
  };
  const page = { trust: 'people', clientId: PAGE_CLIENT, scopes: ['groups'] };
  const broker = await startBroker({
    clock: handClock(Date.now()),
    ...wish,
    trust: [people, ...(wish.trust ?? [])],
    config: { lifetimes: { clockSkew: 60 }, approvals: { page }, ...wish.config },
  });
  const child = await startProvider(port, broker.url);
  const catchUp = () => broker.advance(Math.max(0, Date.now() - broker.clock.now()));
  return {
    broker,
    provider,
    catchUp,
    async signedIn(login, path = '/approvals') {
      const browser = new PlainBrowser();
      await browser.open(`${broker.url}${path}`);
      await browser.follow('Sign in');
      await browser.submit({ login, password: 'x' });
      await catchUp();
      await browser.submit({ prompt: 'consent' });
      return browser;
    },
    endProvider: () => ended(child),
  };
}

async function startProvider(port: number, broker: string): Promise<ChildProcess> {
  const script = resolve('fakes/openid-provider.mjs');
  const child = spawn(process.execPath, [script, String(port), broker], { stdio: ['ignore', 'pipe', 'ignore'] });
  running.push(child);
  await once(child.stdout, 'data');
  return child;
}

const running: ChildProcess[] = [];
afterAll(async () => {
  await Promise.all(running.map(ended));
});

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}
