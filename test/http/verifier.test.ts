/** The verifier against a whole broker: what it lets in, and how soon it does not. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth as requireBearerAuth1 } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { OAuthError, OAuthErrorCode, requireBearerAuth } from '@modelcontextprotocol/server';
import express from 'express';
import { accessTokenClaimsSchema } from '../../src/protocol/access-token.js';
import {
  admittedOf,
  createVerifier,
  guardTool,
  mcpTokenVerifier,
  protect,
  type Seen,
  type Verifier,
  type VerifierOptions,
  type VerificationError,
} from '../../src/verifier/index.js';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import { realClock } from '../support/clock.js';
import { until } from '../support/until.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { startRedis, type RedisServer } from '../support/redis.js';

const READ = { resource: 'incident/4711', action: 'read' };

let redis: RedisServer;
let broker: TestBroker;
let pump: NodeJS.Timeout;
let [soc, api, orchestrator, follower, reporter] = ['', '', '', '', ''];
const seen: Seen[] = [];
const verifiers: Verifier[] = [];
const proxies: { close(): void }[] = [];

beforeAll(async () => {
  redis = await startRedis();
  const unturned = { set: () => undefined, jump: () => undefined, advance: () => undefined };
  const policies = `
    @id("f") permit (principal == Workload::"lab:follower", action == Action::"followFeed", resource);
    @id("r") permit (principal == Workload::"lab:reporter", action == Action::"reportUsage", resource);`;
  broker = await startBroker({ redisUrl: redis.url, clock: { ...realClock, ...unturned }, policies });
  const lasting = { expiresInSeconds: 86_400 };
  [soc, api, orchestrator, follower, reporter] = await Promise.all([
    broker.identity('soc', lasting),
    broker.identity('tickets-api', lasting),
    broker.identity('orchestrator', lasting),
    broker.identity('follower', lasting),
    broker.identity('reporter', lasting),
  ]);
  const work = () => Promise.all([broker.work('feed'), broker.work('fitness')]);
  pump = setInterval(() => void work().catch(() => undefined), 200);
});
afterAll(async () => {
  clearInterval(pump);
  for (const proxy of proxies) proxy.close();
  await broker.close();
  for (const verifier of verifiers) verifier.close();
});

function start(more: Partial<VerifierOptions> = {}): Verifier {
  const options = {
    issuer: broker.url,
    audience: TICKETS,
    identity: () => api,
    observe: (one: Seen) => seen.push(one),
  };
  const verifier = createVerifier({ ...options, ...more });
  verifiers.push(verifier);
  return verifier;
}

async function issued(sub: string, wish: Record<string, string> = {}): Promise<{ token: string; task: string }> {
  const { body } = await broker.exchange(await broker.identity(sub), { scope: 'incident/4711:read', ...wish });
  const { access_token: token, task_id: task } = body as { access_token: string; task_id: string };
  return { token, task };
}
const complete = (task: string) => broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, orchestrator);
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (error as VerificationError).reason,
  );

describe('a verifier that follows the feed', () => {
  it('lets a live credential do what it is for, and nothing else', async () => {
    const verifier = start();
    await verifier.ready();
    const { token } = await issued('agent-1');
    const claims = await verifier.verify(token, READ);
    expect(accessTokenClaimsSchema.parse(claims)).toEqual(claims);
    expect(() => verifier.check(claims, { resource: 'incident/4712', action: 'read' })).toThrow('something else');
    expect(seen.at(-1)).toEqual({ is: 'decision', refused: 'access' });
    await expect(verifier.verify(token, { resource: 'incident/4712', action: 'read' })).rejects.toMatchObject({
      status: 403,
      code: 'insufficient_scope',
      scope: 'incident/4712:read',
    });
    await expect(start({ audience: WIKI }).verify(token)).rejects.toMatchObject({ status: 401, reason: 'audience' });
  });

  it('refuses everything before it has heard what is dead', async () => {
    const { token } = await issued('agent-1');
    const verifier = start({ identity: () => soc });
    await expect(verifier.verify(token)).rejects.toMatchObject({ status: 503, reason: 'stale' });
    expect(verifier.isReady()).toBe(false);
  });

  it('says on stderr why it does not hear, where nobody observes it', async () => {
    const said = jest.spyOn(process, 'emitWarning');
    const texts = () => said.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('403'));
    const verifier = createVerifier({ issuer: broker.url, audience: TICKETS, identity: () => soc });
    verifiers.push(verifier);
    await until(() => texts().length > 0, 'nothing is said');
    expect(texts()).toEqual([
      expect.stringMatching(/^The revocation feed is not followed: .*permits.*`followFeed`, or because it is held\.$/),
    ]);
    verifier.close();
    said.mockRestore();
  });

  it('cuts running work when its task is completed, and lets nothing in from then on', async () => {
    const verifier = start();
    await verifier.ready();
    const [mine, other] = [await issued('agent-2'), await issued('agent-3')];
    const [claims, others] = [await verifier.verify(mine.token), await verifier.verify(other.token)];
    let othersAreCut = false;
    const stop = verifier.onRevoked(others, () => (othersAreCut = true));
    const cut = new Promise((resolve) => verifier.onRevoked(claims, ({ reason }) => resolve(reason)));
    await complete(mine.task);
    expect(await cut).toBe('dead');
    expect(() => verifier.check(claims)).toThrow('not valid');
    expect(await refusal(verifier.verify(mine.token))).toBe('dead');
    verifier.check(others, READ);
    expect(othersAreCut).toBe(false);
    stop();
  });

  it('lets in what was handed on, and cuts it when the credential ends by which it was', async () => {
    const verifier = start();
    await verifier.ready();
    const first = await issued('agent-6');
    const type = 'urn:ietf:params:oauth:token-type';
    const handed = { subject_token_type: `${type}:access_token`, purpose: undefined };
    const actor = { actor_token: await broker.identity('agent-8'), actor_token_type: `${type}:jwt` };
    const { body } = await broker.exchange(first.token, { ...handed, ...actor });
    const claims = await verifier.verify((body as { access_token: string }).access_token, READ);
    expect([claims.sub, claims.act]).toEqual(['lab:agent-6', { sub: 'lab:agent-8' }]);
    const cut = new Promise((resolve) => verifier.onRevoked(claims, ({ reason }) => resolve(reason)));
    await broker.form(
      '/revoke',
      { token: first.token },
      { authorization: `Bearer ${await broker.identity('agent-6')}` },
    );
    expect(await cut).toBe('dead');
    expect(() => verifier.check(claims)).toThrow('not valid');
  });

  it('tells the broker when it knew, so that the receipt names it', async () => {
    const verifier = start({ instance: 'pod-7' });
    await verifier.ready();
    const selector = { kind: 'workload', value: 'lab:agent-9' };
    const { body } = await broker.post('/revocations', { selector, reason: 'test', unseen: true }, soc);
    const receipt = async () => (await broker.get(`/revocations/${(body as { seq: number }).seq}`, soc)).text;
    const isNamed = async () => /"instance":"pod-7"[^}]*"knewAt":"/.test(await receipt());
    await until(isNamed, 'the receipt does not say that this verifier knew');
  });

  it('knows of what was revoked before it came, and of a hold that was lifted', async () => {
    const [ended, held] = [await issued('agent-4'), await issued('agent-5')];
    await complete(ended.task);
    const selector = { kind: 'workload', value: 'lab:agent-5' };
    const { body } = await broker.post('/revocations', { selector, reason: 'test' }, soc);
    await broker.remove(`/revocations/${(body as { seq: number }).seq}`, soc);
    const verifier = start();
    await verifier.ready();
    expect(await refusal(verifier.verify(ended.token))).toBe('dead');
    expect(await refusal(verifier.verify(held.token))).toBe('dead');
    expect(await refusal(verifier.verify((await issued('agent-5')).token))).toBe('none');
  });
});

describe('an API behind protect()', () => {
  let [verifier, url]: [Verifier, string] = [undefined as never, ''];
  let server: Server;
  beforeAll(async () => {
    verifier = createVerifier({ issuer: broker.url, audience: TICKETS, identity: () => api });
    const needs = ({ url: path = '' }: IncomingMessage) => ({ resource: path.slice(1), action: 'read' });
    const app = express();
    app.use(protect(verifier, { needs, scopes: ['incident/4711:read'] }));
    app.get('/incident/:number', (request, response) => {
      const { claims, signal } = admittedOf(request);
      if (request.headers['x-slow'] === undefined) return void response.json({ by: claims.client_id });
      response.write('begun');
      signal.addEventListener('abort', () => response.end('whole'));
    });
    server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await verifier.ready();
  });
  afterAll(() => {
    verifiers.push(verifier);
    server.close();
    server.closeAllConnections();
  });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const call = (path: string, headers: Record<string, string> = {}) => fetch(`${url}${path}`, { headers });
  const METADATA = 'https://tickets.example/.well-known/oauth-protected-resource';

  it('answers as the standards have it: whom it lets in, whom not, and where the broker is', async () => {
    const { token } = await issued('agent-10');
    expect(await (await call('/incident/4711', bearer(token))).json()).toEqual({ by: 'lab:agent-10' });
    const challenge = async (path: string, headers = {}) => {
      const { status, headers: given } = await call(path, headers);
      return `${status} ${given.get('www-authenticate')}`;
    };
    const scope = 'scope="incident/4711:read"';
    expect(await challenge('/incident/4711')).toBe(`401 Bearer ${scope}, resource_metadata="${METADATA}"`);
    expect(await challenge('/incident%22')).toBe(`401 Bearer resource_metadata="${METADATA}"`);
    expect(await challenge('/incident/4711', bearer('a.b.c'))).toMatch(
      new RegExp(`^401 Bearer error="invalid_token".*${scope}, resource_metadata="`),
    );
    expect(await challenge('/incident/4712', bearer(token))).toMatch(
      /^403 Bearer error="insufficient_scope".*scope="incident\/4712:read", resource_metadata="/,
    );
    expect(await challenge('/incident%2F4711', bearer(token))).toMatch('403 Bearer error="insufficient_scope"');
    expect(await (await call(new URL(METADATA).pathname)).json()).toEqual({
      resource: TICKETS,
      authorization_servers: [broker.url],
      bearer_methods_supported: ['header'],
      scopes_supported: ['incident/4711:read'],
    });
  });

  it('is cut in the middle of an answer when the task is completed', async () => {
    const { token, task } = await issued('agent-11');
    const answer = await call('/incident/4711', { ...bearer(token), 'x-slow': 'yes' });
    await complete(task);
    await expect(answer.text()).rejects.toThrow('terminated');
    expect((await call('/incident/4711', bearer(token))).status).toBe(401);
  });

  it('of MCP, with SDK 2: a tool touches what the credential covers, and only while it lives', async () => {
    const own = mcpTokenVerifier(verifier, (message) => new OAuthError(OAuthErrorCode.InvalidToken, message));
    const gate = requireBearerAuth({ verifier: own, expectedResource: new URL(TICKETS) });
    const { token, task } = await issued('agent-12', { scope: 'incident/7:read incident/4711:read' });
    const request = new Request('http://127.0.0.1/mcp', { headers: bearer(token) });
    const authInfo = await gate(request);
    if (authInfo instanceof Response) throw new Error('the gate refuses a live credential');
    const read = (resource: string) => ({ resource, action: 'read' });
    const handler = ({ number }: { number: number }) => ({ content: [{ type: 'text', text: `incident ${number}` }] });
    const guarded = (use: string) =>
      guardTool(verifier, { use: read(use), data: ({ number }) => [read(`incident/${number}`)] }, handler);
    const said = async (use: string, number: number) =>
      (await guarded(use)({ number }, { http: { authInfo } })).content[0]?.text;
    expect(await said('incident/7', 4711)).toBe('incident 4711');
    expect(await said('incident/7', 4712)).toMatch('Needed: incident/4712:read');
    expect(await said('incident/8', 4711)).toMatch('Needed: incident/8:read');
    await complete(task);
    await until(async () => (await said('incident/7', 4711)) !== 'incident 4711', 'the tool works on');
    expect(await gate(request)).toMatchObject({ status: 401 });
  });

  it('of MCP, with SDK 1: the gate knows the living from the dead', async () => {
    const own = mcpTokenVerifier(verifier, (message) => new InvalidTokenError(message));
    const app = express().use(requireBearerAuth1({ verifier: own }), (_, response) => void response.end());
    const listening = app.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const address = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
    const { token, task } = await issued('agent-13');
    const statusOf = async () => (await fetch(address, { headers: bearer(token) })).status;
    expect(await statusOf()).toBe(200);
    await complete(task);
    await until(async () => (await statusOf()) === 401, 'the gate lets a dead credential in');
    listening.close();
    listening.closeAllConnections();
  });
});

describe('what was used', () => {
  /** Lets `work` use credentials at a verifier, and returns what the broker then knows of the task. */
  async function usedBy(more: Partial<VerifierOptions>, work: (verifier: Verifier, token: string) => Promise<void>) {
    const verifier = start(more);
    await verifier.ready();
    const { token, task } = await issued('agent-20');
    await work(verifier, token);
    verifier.close();
    const usesOf = async () => {
      await broker.work('refusals');
      const { body } = await broker.get(`/tasks/${task}/usage`, soc);
      return (body as { credentials: { uses: Record<string, unknown>[] }[] }).credentials.flatMap(({ uses }) => uses);
    };
    return { usesOf, token };
  }
  const deny = { resource: 'incident/4712', action: 'read' };
  const nameless = { resource: 'incident/../4711', action: 'read' };
  const byApi = { reportedBy: 'lab:tickets-api' };
  const decide = async (verifier: Verifier, token: string) => {
    const claims = await verifier.verify(token, READ);
    verifier.check(claims, READ);
    for (const needed of [deny, nameless]) expect(await refusal(verifier.verify(token, needed))).toBe('access');
    await verifier.verify(token);
  };
  const decideAsTool = async (verifier: Verifier, token: string) => {
    const authInfo = { extra: { claims: await verifier.verify(token, READ) } };
    const guarded = guardTool(verifier, { use: READ, data: () => [deny] }, () => ({ content: [] }));
    expect(await guarded({}, { authInfo })).toMatchObject({ isError: true });
  };

  it('is reported by a verifier that is told so: what it let pass, what it denied, and no text that is no path', async () => {
    const { usesOf } = await usedBy({ reportUsage: true }, async (verifier, token) => {
      // It hears nothing, so it knows nothing: that is no denial.
      const deaf = start({ reportUsage: true, identity: () => reporter });
      expect(await refusal(deaf.verify(token, READ))).toBe('stale');
      deaf.close();
      await decide(verifier, token);
    });
    await until(async () => (await usesOf()).length > 0, 'nothing is reported');
    expect(await usesOf()).toEqual([
      expect.objectContaining({ ...READ, permitted: 2, denied: 0, ...byApi }),
      expect.objectContaining({ ...deny, permitted: 0, denied: 1, ...byApi }),
      expect.not.objectContaining({ resource: expect.anything() as unknown }),
    ]);
  });

  it('is reported of tools unless the verifier is told not to, and of nothing else', async () => {
    const [tool, api, silent] = [
      await usedBy({}, decideAsTool),
      await usedBy({}, decide),
      await usedBy({ reportUsage: false }, decideAsTool),
    ];
    await until(async () => (await tool.usesOf()).length === 2, 'the guard reports nothing');
    expect(await tool.usesOf()).toEqual([
      expect.objectContaining({ ...READ, permitted: 1, denied: 0 }),
      expect.objectContaining({ ...deny, permitted: 0, denied: 1 }),
    ]);
    expect([await api.usesOf(), await silent.usesOf()]).toEqual([[], []]);
  });

  it('is not missed where policy does not take reports: the verifier decides as before, and says that it could not tell', async () => {
    const untold = new Promise<Seen>((resolve) => {
      const observe = (one: Seen) => one.is === 'untold' && resolve(one);
      void usedBy({ reportUsage: true, identity: () => follower, observe }, decide);
    });
    expect(await untold).toEqual({ is: 'untold', uses: 3, why: expect.stringContaining('reportUsage') as unknown });
  });
});

describe('a verifier that asks', () => {
  it('refuses a dead credential at the next question, and believes a yes no longer than it may', async () => {
    const [asking, keeping] = [
      start({ by: 'introspection', cacheMs: 0 }),
      start({ by: 'introspection', cacheMs: 10_000 }),
    ];
    const { token, task } = await issued('agent-7');
    await asking.verify(token, READ);
    await keeping.verify(token, READ);
    await complete(task);
    expect(await refusal(asking.verify(token))).toBe('dead');
    expect(await refusal(keeping.verify(token))).toBe('none');
    expect(() => start({ by: 'introspection', cacheMs: 10_001 })).toThrow('cacheMs');
  });

  it('does not ask about a token that the broker has not signed', async () => {
    const asked: string[] = [];
    const spy: typeof fetch = (...args) => {
      asked.push(new URL(args[0]).pathname);
      return fetch(...args);
    };
    const verifier = start({ by: 'introspection', fetch: spy });
    const { token } = await issued('agent-8');
    const [head, , signature] = token.split('.');
    const forged = `${head}.${Buffer.from('{"aud":"x"}').toString('base64url')}.${signature}`;
    expect(await refusal(verifier.verify(forged))).toBe('signature');
    expect(asked).toEqual(['/jwks']);
    const away: typeof fetch = (input, init) =>
      new URL(input instanceof Request ? input.url : input).pathname === '/jwks'
        ? fetch(input, init)
        : Promise.reject(new Error('away'));
    expect(await refusal(start({ by: 'introspection', fetch: away }).verify(token))).toBe('broker');
  });
});

it('cuts what still runs after it was closed: it hears nothing more', async () => {
  const verifier = start({ staleMs: 2_000 });
  await verifier.ready();
  const claims = await verifier.verify((await issued('agent-13')).token);
  const cut = new Promise((resolve) => verifier.onRevoked(claims, ({ reason }) => resolve(reason)));
  verifier.close();
  expect(await cut).toBe('stale');
});

// Last, because a broker whose store stood still mints nothing for a while.
it('refuses everything while the store of the broker stands still, and recovers by itself', async () => {
  const verifier = start({ staleMs: 2_000 });
  await verifier.ready();
  const claims = await verifier.verify((await issued('agent-6')).token);
  const cut = new Promise((resolve) => verifier.onRevoked(claims, ({ reason }) => resolve(reason)));
  redis.signal('SIGSTOP');
  try {
    expect(await cut).toBe('stale');
    expect(verifier.isReady()).toBe(false);
  } finally {
    redis.signal('SIGCONT');
  }
  await verifier.ready();
  verifier.check(claims);
});

describe('something between verifier and broker', () => {
  async function startBehind() {
    const proxy = await startTcpProxy(broker.url);
    proxies.push(proxy);
    const ends: string[] = [];
    const observe = (one: Seen) => {
      if (one.is === 'ended') ends.push(one.why);
    };
    const verifier = start({ url: proxy.url, staleMs: 2_000, observe });
    await verifier.ready();
    const { token, task } = await issued('agent-12');
    const claims = await verifier.verify(token);
    const cut = new Promise<string>((resolve) => verifier.onRevoked(claims, ({ reason }) => resolve(reason)));
    return { proxy, ends, verifier, token, task, cut };
  }

  it('that loses every packet and closes nothing makes it refuse; afterwards it knows what died meanwhile', async () => {
    const { proxy, verifier, token, task, cut } = await startBehind();
    proxy.swallow();
    await complete(task);
    expect(await cut).toBe('stale');
    expect(await refusal(verifier.verify(token))).toBe('stale');
    proxy.heal();
    await verifier.ready();
    expect(await refusal(verifier.verify(token))).toBe('dead');
  });

  it('that hands events on too slowly makes it refuse, although some arrive all the time', async () => {
    const { proxy, ends, verifier, token, cut } = await startBehind();
    // Heartbeats come five times a second here, and two of them arrive: each is older than the one before it.
    proxy.trickle(500);
    expect(await cut).toBe('stale');
    expect(await refusal(verifier.verify(token))).toBe('stale');
    expect(ends).toEqual([]);
  });
});

it('tells metrics of each decision and of the feed', () => {
  const kinds = new Set(seen.map((one) => (one.is === 'decision' ? `decision ${one.refused ?? 'yes'}` : one.is)));
  expect([...kinds]).toEqual(expect.arrayContaining(['live', 'ended', 'revocation', 'decision yes', 'decision dead']));
});
