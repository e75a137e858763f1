/** `mayfly approvals`, as a person types it: what waits, who asks for what, and an answer to exactly what was shown. */
import { PassThrough } from 'node:stream';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { run } from '../../src/cli/run.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { park } from '../support/parked.js';
import { startRedis } from '../support/redis.js';

const policies = `
@id("duty-breaks-glass") permit (principal in Group::"duty", action == Action::"breakGlass", resource);`;

let broker: TestBroker;
beforeAll(async () => {
  broker = await startBroker({ redisUrl: (await startRedis()).url, policies });
});
// Redis has a real clock, and the broker's must not fall behind it.
beforeEach(() => broker.advance(Date.now() - broker.clock.now()));

async function mayfly(argv: string[], { sub = 'ann', typed }: { sub?: string; typed?: string } = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const input = Object.assign(new PassThrough(), { isTTY: typed !== undefined });
  input.end(typed);
  const groups = sub === 'dee' ? ['duty'] : ['sre-oncall'];
  const terminal = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    clock: broker.clock,
    env: { MAYFLY_BROKER: broker.url, MAYFLY_TOKEN: await broker.person(sub, { groups }) },
    input,
  };
  return { code: await run(['approvals', ...argv], terminal), out: out.join('\n'), err: err.join('\n') };
}

async function asked(): Promise<string> {
  const { body } = await broker.post('/tasks', { purpose: 'repair 4711' }, await broker.identity('agent-7'));
  return (await park(broker, (body as { id: string }).id)).id;
}
const stateOf = async (id: string) =>
  (await broker.get(`/approvals/${id}`, await broker.identity('agent-7'))).body as { state: string };

describe('mayfly approvals', () => {
  it('lists what waits, shows it, and agrees to it once somebody says yes', async () => {
    const id = await asked();
    expect((await mayfly(['list'])).out).toMatch(new RegExp(`${id} .*lab:agent-7 .*incident/4711:read\\+write`));
    const shown = await mayfly(['show', id]);
    expect(shown.out).toMatch(/is pending[^]*who +lab:agent-7[^]*why +repair 4711 \(says the agent\)[^]*600 seconds/);
    expect(await mayfly(['approve', id], { typed: 'no\n' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('Nothing was answered'),
    });
    expect((await stateOf(id)).state).toBe('pending');
    expect(await mayfly(['approve', id, '--lifetime', '60'], { typed: 'yes\n' })).toMatchObject({ code: 0 });
    expect(await stateOf(id)).toMatchObject({ state: 'approved', terms: { lifetimeSeconds: 60 } });
    expect((await mayfly(['list'])).out).toBe('Nothing waits for you.');
  });

  it('refuses with a reason, which the command demands', async () => {
    const id = await asked();
    expect((await mayfly(['deny', id])).code).not.toBe(0);
    expect(await mayfly(['deny', id, '--reason', 'not at night'])).toMatchObject({ code: 0 });
    expect(await stateOf(id)).toMatchObject({ state: 'denied', reason: 'not at night' });
  });

  it('closes the review of an emergency', async () => {
    const id = await asked();
    const dee = await broker.person('dee', { groups: ['duty'] });
    const { body } = await broker.get(`/approvals/${id}`, dee);
    const { digest } = (body as { answer: { digest: string } }).answer;
    await broker.post(`/approvals/${id}/decision`, { decision: 'emergency', reason: 'x', digest }, dee);
    expect((await mayfly(['list', '--review'])).out).toContain(id);
    expect(await mayfly(['review', id, '--reason', 'seen'])).toMatchObject({ code: 0, out: 'The review is closed.' });
    expect((await mayfly(['list', '--review'])).out).toBe('Nothing waits for you.');
  });
});
