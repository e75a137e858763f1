/** The command line beside a running broker, with nothing but the configuration and the store's credentials. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../src/audit/event.js';
import { run } from '../../src/cli/run.js';
import { systemClock } from '../../src/domain/time.js';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

describe.each(['lmdb', 'redis'] as const)('mayfly beside a broker on %s', (kind) => {
  let broker: BrokerProcess;
  beforeAll(async () => {
    broker = await startProcess(kind === 'redis' ? { config: { store: (await startRedis()).url } } : {});
  }, 30_000);

  const mayfly = async (...argv: string[]) => {
    const said: string[] = [];
    const note = (text: string) => void said.push(text);
    const code = await run([...argv, '--config', broker.config], { out: note, err: note, clock: systemClock });
    return { code, said: said.join('\n') };
  };
  const exchanged = async () => {
    const { status, body } = await broker.exchange(await broker.identity('agent-7'));
    return { status, token: (body as { access_token: string }).access_token };
  };
  const isActive = async (token: string) =>
    ((await broker.introspect(token, await broker.identity('tickets-api'))).body as { active: boolean }).active;
  const audited = async () => {
    const { text } = await broker.get('/audit', await broker.identity('soc'), { accept: 'application/x-ndjson' });
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEvent);
  };

  it('revokes, so that the broker refuses at once, and lifts; both are audited as local', async () => {
    const { token } = await exchanged();
    const order = ['revocations', 'revoke', 'workload', 'lab:agent-7', '--reason', 'stolen'];
    expect(await mayfly(...order, '--dry-run')).toEqual({
      code: 0,
      said: 'hold of workload lab:agent-7 would hit 1 credentials of 1 tasks',
    });
    expect(await isActive(token)).toBe(true);

    const { code, said } = await mayfly(...order);
    expect([code, said]).toEqual([0, expect.stringMatching(/^\d+: hold of workload lab:agent-7 hit 1 cred/)]);
    expect([await isActive(token), (await exchanged()).status]).toEqual([false, 400]);

    const [number = ''] = said.split(':');
    expect((await mayfly('revocations', 'list')).said).toMatch(/hold of workload lab:agent-7 {2}by local: stolen/);
    expect((await mayfly('revocations', 'lift', number)).code).toBe(0);
    expect([await isActive(token), (await exchanged()).status]).toEqual([false, 200]);
    expect((await mayfly('revocations', 'lift', number)).said).toMatch(/not a hold, or is lifted already/);
    const local = (await audited()).filter(({ actor }) => actor?.id === 'local');
    expect(local.map(({ revocation }) => revocation?.effect)).toEqual(['hold', 'lift']);
  });

  it('locks nobody out who should be let in again: a hold of all by mistake is lifted here', async () => {
    const { said } = await mayfly('revocations', 'revoke', 'all', '--reason', 'mistake');
    expect((await exchanged()).status).toBe(400);
    await mayfly('revocations', 'lift', said.split(':')[0] ?? '');
    expect((await exchanged()).status).toBe(200);
  });

  it.each([
    [['workload'], /missing or malformed/],
    [['workload', 'lab:x'], /Nothing was ever seen here of workload lab:x.*say --unseen/],
    [['workload', 'lba:x', '--unseen'], /would hit nobody\. Did you mean lab:x\?/],
    [['workload', 'lab:x', '--effect', 'end'], /does not fit a workload/],
    [['workload', 'lab:x', '--until', 'tomorrow'], /2027-01-31T09:30:00Z/],
    [['workload', 'lab:x', '--until', '2020-01-01T00:00:00Z'], /is past/],
    [['everything'], /one of credential, task/],
    [['all', 'x'], /missing or malformed/],
  ])('refuses %j, and revokes nothing', async (argv, why) => {
    const before = (await mayfly('revocations', 'list')).said;
    const { code, said } = await mayfly('revocations', 'revoke', ...argv, '--reason', 'r');
    expect([code, said]).toEqual([1, expect.stringMatching(why)]);
    expect((await mayfly('revocations', 'list')).said).toBe(before);
  });

  it('rotates keys: announced, then used at once, then all others withdrawn and what they signed dead', async () => {
    const kids = async () =>
      ((await broker.get('/jwks')).body as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
    const [first = ''] = await kids();
    expect((await mayfly('rotate-keys')).said).toMatch(`announce: signing with ${first}`);
    await until(async () => (await kids()).length === 2, 'the next key is not published');
    expect((await mayfly('rotate-keys')).said).toMatch('announced already');

    const { token } = await exchanged();
    expect((await mayfly('rotate-keys', '--now')).code).toBe(0);
    await until(async () => (await kids())[0] !== first, 'the old key still signs');
    expect(await kids()).toContain(first);
    expect(await isActive(token)).toBe(true);

    expect((await mayfly('rotate-keys', '--distrust-old')).code).toBe(0);
    await until(async () => !(await kids()).includes(first), 'the old key is still published');
    expect(await isActive(token)).toBe(false);
    expect(await isActive((await exchanged()).token)).toBe(true);
    const steps = (await audited()).filter(({ type, actor }) => type === 'keys.rotated' && actor?.id === 'local');
    expect(steps.map(({ reason }) => reason)).toEqual(['announce', 'replace', 'distrust']);
  });
});

it('a configuration whose store is not there is a mistake, not a new store', async () => {
  const said: string[] = [];
  const terminal = { out: () => undefined, err: (text: string) => void said.push(text), clock: systemClock };
  const argv = ['revocations', 'revoke', 'all', '--reason', 'r', '--config', 'config/examples/github-actions.yaml'];
  expect(await run(argv, terminal)).toBe(1);
  expect(said.join()).toMatch(/no store in .*: is this the configuration of the broker\?/);
});
