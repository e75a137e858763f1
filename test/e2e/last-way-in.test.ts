/** The command line beside a running broker, with nothing but the configuration and the store's credentials. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../src/audit/event.js';
import { run } from '../../src/cli/run.js';
import { openStore } from '../../src/compose/open-store.js';
import { loadConfig } from '../../src/config/load.js';
import { systemClock } from '../../src/domain/time.js';
import { raiseAgreedTime, readAgreedTime } from '../../src/health/agreed-time.js';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

describe.each(['lmdb', 'redis'] as const)('mayfly beside a broker on %s', (kind) => {
  let broker: BrokerProcess;
  beforeAll(async () => {
    broker = await startProcess(kind === 'redis' ? { config: { store: (await startRedis()).url } } : {});
  });

  const mayfly = async (...argv: string[]) => {
    const said: string[] = [];
    const note = (text: string) => void said.push(text);
    const code = await run([...argv, '--config', broker.config], { out: note, err: note, clock: systemClock });
    return { code, said: said.join('\n') };
  };
  /** Writes what a broker writes that is so far ahead together with its store. */
  const agreeOn = async (time: number) => {
    const { store: where, config } = await loadConfig({ path: broker.config });
    const store = await openStore({ store: where, config, clock: systemClock, role: 'tool' });
    await raiseAgreedTime(store, await readAgreedTime(store), time);
    await store.close();
  };
  const exchanged = async () => {
    const { status, body } = await broker.exchange(await broker.identity('agent-7'));
    return { status, token: (body as { access_token: string }).access_token };
  };
  const isActive = async (token: string, api = broker.identity('tickets-api')) =>
    ((await broker.introspect(token, await api)).body as { active: boolean }).active;
  const audited = async (soc = broker.identity('soc')) => {
    const { text } = await broker.get('/audit', await soc, { accept: 'application/x-ndjson' });
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

  it('takes back a time agreed on that lies ahead: everything older is dead, and the broker believes its clock again', async () => {
    const remove = () => mayfly('agreed-time', 'remove', '--everything-dies', '--reason', 'an hour ahead');
    expect(await remove()).toEqual({ code: 1, said: expect.stringMatching(/is not ahead of this clock/) });
    const { token } = await exchanged();
    const older = await broker.identity('agent-7');
    await mayfly('revocations', 'revoke', 'workload', 'lab:agent-9', '--unseen', '--reason', 'stolen');
    await agreeOn(Date.now() + 3_600_000);
    await until(async () => !(await broker.isReady()), 'the broker believes a clock that is behind the time agreed on');
    expect((await exchanged()).status).toBe(503);
    expect((await mayfly('agreed-time', 'show')).said).toMatch(/agreed on: \S+Z, (3600|359\d) s ahead of this host$/);
    expect(await mayfly('agreed-time', 'remove', '--reason', 'r')).toEqual({
      code: 1,
      said: expect.stringMatching(/--everything-dies/),
    });
    expect((await exchanged()).status).toBe(503);

    expect((await remove()).code).toBe(0);
    await until(() => broker.isReady(), 'the broker does not believe its clock');
    expect((await broker.exchange(older)).body).toMatchObject({ error: 'access_denied' });
    const issuedLater = (sub: string) => broker.identity(sub, { iat: Math.floor(Date.now() / 1000) + 4 });
    const exchangedLater = async () => broker.exchange(await issuedLater('agent-7'));
    await until(async () => (await exchangedLater()).status === 200, 'a proof that was issued later is refused');
    const fresh = ((await exchangedLater()).body as { access_token: string }).access_token;
    const api = issuedLater('tickets-api');
    expect([await isActive(token, api), await isActive(fresh, api)]).toEqual([false, true]);
    expect((await broker.exchange(await issuedLater('agent-9'))).body).toMatchObject({ retry: 'after-lift' });
    expect((await mayfly('agreed-time', 'show')).said).toMatch(/, \d s (ahead of|behind) this host$/);
    const local = (await audited(issuedLater('soc'))).filter(({ reason }) =>
      reason?.endsWith(' s ahead: an hour ahead'),
    );
    expect(local.map(({ type, actor }) => [type, actor?.id])).toEqual([
      ['log.replaced', 'local'],
      ['revocation.published', 'local'],
    ]);
  });
});

it('a configuration whose store is not there is a mistake, not a new store', async () => {
  const said: string[] = [];
  const terminal = { out: () => undefined, err: (text: string) => void said.push(text), clock: systemClock };
  const argv = [
    'revocations',
    'revoke',
    'all',
    '--reason',
    'r',
    '--config',
    'config/providers/github-actions/mayfly.yaml',
  ];
  expect(await run(argv, terminal)).toBe(1);
  expect(said.join()).toMatch(/no store in .*: is this the configuration of the broker\?/);
});
