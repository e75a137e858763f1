/**
 * Brokers as real processes whose clocks are really wrong: libfaketime tells the process another time than the kernel does. They
 * only end and hold. test/attacks/wrong-clock.test.ts says the same of every endpoint, with clocks that a test turns by hand.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';
import { fakeTime, told } from '../support/wrong-clock.js';

if (!fakeTime)
  console.warn('Left out, because faketime is not installed: processes whose clocks are wrong only end and hold.');

const KEY = { MAYFLY_KEY_ENCRYPTION_KEY: 'ab'.repeat(32) };
const [TEN_MINUTES, HOUR, FIVE_HOURS] = [600, 3_600, 18_000];

const BEHIND_AGREED = /the clock is ([\d.]+) s behind the time that brokers and store agreed on/;

async function minted(broker: BrokerProcess, sub: string, wish?: Record<string, string>): Promise<string> {
  const { body } = await broker.exchange(await broker.identity(sub), wish);
  return (body as { access_token: string }).access_token;
}

const isActive = async (broker: BrokerProcess, token: string) =>
  ((await broker.introspect(token, await broker.identity('tickets-api'))).body as { active: boolean }).active;

async function revoke(by: BrokerProcess, workload: string, more: object, soc = by.identity('soc')) {
  const order = { selector: { kind: 'workload', value: workload }, reason: 'r', unseen: true, ...more };
  expect((await by.post('/revocations', order, await soc)).status).toBe(200);
}

async function expectNothingGranted(wrong: BrokerProcess, tokens: readonly string[]): Promise<void> {
  const task = { workload: 'lab:agent-7', purpose: 'summarise incident 4711' };
  const here = Math.floor(Date.now() / 1000);
  for (const iat of [here, here - TEN_MINUTES, here + FIVE_HOURS]) {
    const identity = (sub: string) => wrong.identity(sub, { iat, exp: iat + 300 });
    expect((await wrong.post('/tasks', task, await identity('orchestrator'))).status).toBe(503);
    expect((await wrong.exchange(await identity('agent-7'))).status).toBe(503);
    for (const token of tokens) expect((await wrong.introspect(token, await identity('tickets-api'))).status).toBe(503);
  }
}

/** Its clock must really be so far off by what it is compared with: a faketime that does nothing fails here. */
async function expectClockOff({ operations }: BrokerProcess, seconds: number, by: RegExp): Promise<void> {
  const { status, text } = await operations.get('/health/ready');
  expect([status, text]).toEqual([503, expect.stringMatching(by)]);
  const off = Number(by.exec(text)?.[1]);
  expect(Math.abs(off - Math.abs(seconds))).toBeLessThan(60);
}

(fakeTime ? describe : describe.skip)('processes whose clocks are wrong', () => {
  let right: BrokerProcess;
  let expired: string;
  const wrong = new Map<number, BrokerProcess>();
  /** On LMDB. */
  let alone: BrokerProcess;
  let aloneIsOff = HOUR;
  beforeAll(async () => {
    const config = { store: (await startRedis()).url };
    right = await startProcess({ config, env: KEY });
    expired = await minted(right, 'agent-7', { lifetime: '1' });
    const beside = async (seconds: number) => {
      const command = (...argv: string[]) => told(seconds, ...argv);
      wrong.set(seconds, await startProcess({ config, env: KEY, like: right, command, until: 'live' }));
    };
    const command = (...argv: string[]) => told(aloneIsOff, ...argv);
    const starting = [beside(-TEN_MINUTES), beside(FIVE_HOURS), startProcess({ command })] as const;
    [, , alone] = await Promise.all(starting);
    await until(async () => !(await isActive(right, expired)), 'a credential of one second lives on');
  });

  it.each([
    ['ten minutes behind', -TEN_MINUTES],
    ['five hours ahead', FIVE_HOURS],
  ])('one that is %s only ends and holds, beside a right one on one Redis', async (_, seconds) => {
    const broker = wrong.get(seconds) ?? right;
    await expectClockOff(broker, seconds, /the clocks of broker and store are ([\d.]+) s apart/);

    const [held, cut] = [`agent-held-${seconds}`, `agent-cut-${seconds}`];
    await revoke(broker, `lab:${held}`, { until: new Date(Date.now() + 300_000).toISOString() });
    const proof = await right.identity(cut);
    const [alive, revoked] = [await minted(right, 'agent-7'), await minted(right, cut)];
    await revoke(broker, `lab:${cut}`, { effect: 'cutoff' });
    expect((await right.exchange(proof)).body).toMatchObject({ error: 'access_denied', retry: 'later' });
    expect(await isActive(right, expired)).toBe(false);
    await expectNothingGranted(broker, [alive, revoked, expired]);

    // By now the wrong broker has had its turn at lifting what is due.
    expect((await right.exchange(await right.identity(held))).body).toMatchObject({ retry: 'after-lift' });
    expect([await isActive(right, alive), await isActive(right, revoked)]).toEqual([true, false]);
    expect(await right.isReady()).toBe(true);
  });

  it('on LMDB one that was ahead, and is set back, only holds; a command lets it be believed, and what it minted ahead is dead', async () => {
    const issued = (sub: string, inSeconds: number) => {
      const iat = Math.floor(Date.now() / 1000) + inSeconds;
      return alone.identity(sub, { iat, exp: iat + 300 });
    };
    const exchanged = async (inSeconds: number) => {
      const { body } = await alone.exchange(await issued('agent-9', inSeconds));
      return (body as { access_token?: string }).access_token;
    };
    const ahead = (await exchanged(HOUR)) ?? '';
    await alone.kill();
    aloneIsOff = HOUR - TEN_MINUTES;
    await alone.start('live');
    await expectClockOff(alone, TEN_MINUTES, BEHIND_AGREED);
    await expectNothingGranted(alone, [ahead]);
    await revoke(alone, 'lab:agent-8', {}, issued('soc', HOUR));

    await alone.kill();
    aloneIsOff = 0;
    await alone.start('live');
    await expectClockOff(alone, HOUR, BEHIND_AGREED);
    expect(alone.mayfly('agreed-time', 'show').said).toMatch(/agreed on: \S+Z, 3\d{3} s ahead of this host\n$/);
    const removed = alone.mayfly('agreed-time', 'remove', '--everything-dies', '--reason', 'the host was ahead');
    expect(removed).toEqual({ ended: 0, said: expect.stringMatching(/^Everything older is dead/) });
    // A proof must have been issued after the command, give or take the skew of five seconds.
    let fresh: string | undefined;
    await until(async () => (fresh = await exchanged(4)) !== undefined, 'the right clock is not believed');
    const api = await issued('tickets-api', 4);
    const answers = [ahead, fresh].map((token = '') => alone.introspect(token, api));
    expect((await Promise.all(answers)).map(({ body }) => body)).toMatchObject([{ active: false }, { active: true }]);
    expect((await alone.exchange(await issued('agent-8', 4))).body).toMatchObject({ retry: 'after-lift' });
  });
});
