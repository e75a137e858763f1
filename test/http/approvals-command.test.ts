/** `mayfly approvals`, as a person types it: what waits, who asks for what, and an answer to exactly what was shown. */
import { PassThrough } from 'node:stream';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { run } from '../../src/cli/run.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { park, type ParkedWish } from '../support/approvals/written-request.js';
import { startRedis } from '../support/redis.js';

const policies = `
@id("duty-breaks-glass") permit (principal in Group::"duty", action == Action::"breakGlass", resource);`;

let broker: TestBroker;
beforeAll(async () => {
  broker = await startBroker({ redisUrl: (await startRedis()).url, policies });
});
// Redis has a real clock, and the broker's must not fall behind it.
beforeEach(() => broker.advance(Date.now() - broker.clock.now()));

const GROUPS: Record<string, string[]> = { ann: ['sre-oncall'], dee: ['duty'] };

async function mayfly(argv: string[], { sub = 'ann', typed }: { sub?: string; typed?: string } = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const input = Object.assign(new PassThrough(), { isTTY: typed !== undefined });
  input.end(typed);
  const terminal = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    clock: broker.clock,
    env: { MAYFLY_BROKER: broker.url, MAYFLY_TOKEN: await broker.person(sub, { groups: GROUPS[sub] ?? [] }) },
    input,
  };
  return { code: await run(['approvals', ...argv], terminal), out: out.join('\n'), err: err.join('\n') };
}

async function asked(wish: ParkedWish = {}): Promise<string> {
  const { body } = await broker.post('/tasks', { purpose: 'repair 4711' }, await broker.identity('agent-7'));
  return (await park(broker, (body as { id: string }).id, wish)).id;
}
const stateOf = async (id: string) =>
  (await broker.get(`/approvals/${id}`, await broker.identity('agent-7'))).body as {
    state: string;
    terms: { access: object[]; lifetimeSeconds: number };
  };

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

  const twoFolders = {
    access: [
      { path: 'incident/*', actions: ['read', 'write'] },
      { path: 'tool/deploy', actions: ['execute'] },
    ],
  };

  it('agrees to a part of it, as it is written where it is shown, and asks about that part', async () => {
    const id = await asked({ asked: twoFolders });
    expect((await mayfly(['show', id])).out).toContain('incident/*:read+write tool/deploy:execute at');
    const less = ['--only', 'incident/4711:read+write', '--only', 'incident/4712:read', '--lifetime', '60'];
    const { code, err } = await mayfly(['approve', id, ...less], { typed: 'yes\n' });
    expect({ code, err }).toEqual({
      code: 0,
      err: 'Agree to incident/4711:read+write incident/4712:read for 60 seconds? Type yes:',
    });
    expect(await stateOf(id)).toMatchObject({
      state: 'approved',
      terms: {
        access: [
          { path: 'incident/4711', actions: ['read', 'write'] },
          { path: 'incident/4712', actions: ['read'] },
        ],
        lifetimeSeconds: 60,
      },
    });
  });

  it('divides path and action where both have colons', async () => {
    const access = [{ path: 'arn:aws:s3:::reports/*', actions: ['s3:GetObject', 's3:PutObject'] }];
    const id = await asked({ asked: { access } });
    const only = ['--only', 'arn:aws:s3:::reports/july:s3:GetObject'];
    expect(await mayfly(['approve', id, ...only, '--yes'])).toMatchObject({ code: 0, err: '' });
    expect((await stateOf(id)).terms.access).toEqual([
      { path: 'arn:aws:s3:::reports/july', actions: ['s3:GetObject'] },
    ]);
  });

  it.each([
    [
      ['--only', 'incident/4711:export'],
      /Only what is asked for can be agreed to, written as in incident\/\*:read\+write/,
    ],
    [['--only', 'incident/4711'], /Only what is asked for/],
    [['--only', ':read'], /Only what is asked for/],
    [['--only', 'incident/4711:read+'], /Only what is asked for/],
    [['--only', 'customer/1:read'], /An answer can only take away/],
    [['--lifetime', '9999'], /An answer can only take away/],
    [['--lifetime', 'soon'], /whole number of seconds/],
  ])('agrees to nothing with %j', async (less, why) => {
    const id = await asked({ asked: twoFolders });
    expect(await mayfly(['approve', id, ...less, '--yes'])).toMatchObject({ code: 1, err: expect.stringMatching(why) });
    expect((await stateOf(id)).state).toBe('pending');
  });

  it('shows who has answered, and for how long a yes stands', async () => {
    const id = await asked({ needs: [{ group: 'sre-oncall', approvers: 2, reuse: true }] });
    expect((await mayfly(['approve', id, '--yes'])).out).toContain('Somebody else must agree too.');
    expect((await mayfly(['show', id])).out).toMatch(
      /wanted +1 of sre-oncall, for the rest of the task\n[^]*said so far +staff:ann says approve/,
    );
  });

  it.each([
    ['approve', [], 'ann'],
    ['deny', ['--reason', 'no'], 'ann'],
    ['emergency', ['--reason', 'fire'], 'dee'],
  ])('shows what was answered already, and asks nobody: %s', async (command, more, sub) => {
    const id = await asked();
    expect(await mayfly(['deny', id, '--reason', 'not at night'])).toMatchObject({ code: 0 });
    const { code, out, err } = await mayfly([command, id, ...more], { sub, typed: 'yes\n' });
    expect({ code, err }).toEqual({ code: 1, err: 'It can no longer be answered.' });
    expect(out).toContain(`${id} is denied.`);
  });

  it('declares an emergency: shows it, says what follows, asks, and somebody else closes the review', async () => {
    const id = await asked({ asked: twoFolders });
    const declare = ['emergency', id, '--reason', 'the shop is down', '--only', 'incident/4711:write'];
    expect(await mayfly(declare, { sub: 'dee', typed: 'no\n' })).toMatchObject({ code: 1 });
    expect((await stateOf(id)).state).toBe('pending');
    const declared = await mayfly(declare, { sub: 'dee', typed: 'yes\n' });
    expect(declared).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /who +lab:agent-7[^]*It is approved, for 300 seconds\.\n.*mayfly approvals review apr_/,
      ),
      err: expect.stringMatching(
        /every webhook hear of it[^]*a review stays open[^]*incident\/4711:write for 600 seconds/,
      ),
    });
    expect(await stateOf(id)).toMatchObject({
      state: 'approved',
      terms: { access: [{ path: 'incident/4711', actions: ['write'] }], lifetimeSeconds: 300 },
    });
    expect((await mayfly(['list', '--review'])).out).toContain(id);
    expect(await mayfly(['review', id, '--reason', 'it was mine'], { sub: 'dee' })).toMatchObject({ code: 1 });
    expect(await mayfly(['review', id, '--reason', 'seen'])).toMatchObject({ code: 0, out: 'The review is closed.' });
    expect((await mayfly(['list', '--review'])).out).toBe('Nothing waits for you.');
  });

  it('is told by whom an emergency can be declared, and that whoever may do that need not be who agrees', async () => {
    const id = await asked();
    expect((await mayfly(['emergency', id])).err).toContain('--reason <text>');
    expect(await mayfly(['emergency', id, '--reason', 'x', '--yes'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('No policy lets you agree to this in an emergency.'),
    });
    expect(await mayfly(['approve', id, '--yes'], { sub: 'dee' })).toMatchObject({
      code: 1,
      err: expect.stringContaining(`You may not agree to it. In an emergency: mayfly approvals emergency ${id}`),
    });
    expect((await stateOf(id)).state).toBe('pending');
  });
});
