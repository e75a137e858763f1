/** The verifier against a whole broker: what it lets in, and how soon it does not. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { accessTokenClaimsSchema } from '../../src/protocol/access-token.js';
import {
  createVerifier,
  type Seen,
  type Verifier,
  type VerifierOptions,
  type VerificationError,
} from '../../src/verifier/index.js';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import { realClock } from '../support/clock.js';
import { startRedis, type RedisServer } from '../support/redis.js';

const READ = { resource: 'incident/4711', action: 'read' };

let redis: RedisServer;
let broker: TestBroker;
let pump: NodeJS.Timeout;
let [soc, api, orchestrator] = ['', '', ''];
const seen: Seen[] = [];
const verifiers: Verifier[] = [];

beforeAll(async () => {
  redis = await startRedis();
  const unturned = { set: () => undefined, jump: () => undefined, advance: () => undefined };
  broker = await startBroker({ redisUrl: redis.url, clock: { ...realClock, ...unturned } });
  const lasting = { expiresInSeconds: 86_400 };
  [soc, api, orchestrator] = await Promise.all([
    broker.identity('soc', lasting),
    broker.identity('tickets-api', lasting),
    broker.identity('orchestrator', lasting),
  ]);
  pump = setInterval(() => void broker.work('feed').catch(() => undefined), 200);
});
afterEach(() => {
  for (const verifier of verifiers.splice(0)) verifier.close();
});
afterAll(() => clearInterval(pump));

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
    await broker.close();
    expect(await refusal(verifier.verify(token))).toBe('broker');
  });
});

it('tells metrics of each decision and of the feed', () => {
  const kinds = new Set(seen.map((one) => (one.is === 'decision' ? `decision ${one.refused ?? 'yes'}` : one.is)));
  expect([...kinds]).toEqual(expect.arrayContaining(['live', 'ended', 'revocation', 'decision yes', 'decision dead']));
});
