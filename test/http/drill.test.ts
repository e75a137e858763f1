/** `mayfly drill` against a broker over HTTP, with the verifiers that APIs use. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { measureDrill } from '../../src/cli/drill/measure.js';
import { reportOf, textOf } from '../../src/cli/drill/report.js';
import { run } from '../../src/cli/run.js';
import { forgettableAt } from '../../src/domain/liveness.js';
import { newId } from '../../src/domain/id.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { audited } from '../support/brokers/signals.js';
import { handClock, realClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';

const DRILLS = `
@id("drills-revoke") permit (principal == Workload::"lab:drills", action == Action::"revoke", resource)
when { context.kind == "drill" };
@id("drills-follow") permit (principal == Workload::"lab:drills", action == Action::"followFeed", resource);
@id("half-revokes") permit (principal == Workload::"lab:half", action == Action::"revoke", resource);`;

const directory = temporaryDirectory();
let broker: TestBroker;
let soc: string;
beforeAll(async () => {
  broker = await startBroker({
    policies: DRILLS,
    clock: handClock(Date.now()),
    config: { limits: { perWorkloadPerMinute: 60 } },
  });
  soc = await broker.identity('soc');
});

async function drill(as: string, ...options: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const tokenFile = join(directory, as);
  writeFileSync(tokenFile, await broker.identity(as));
  const code = await run(['drill', '--broker', broker.url, '--token-file', tokenFile, ...options], {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    clock: realClock,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const receipts = async () =>
  ((await broker.get('/revocations', soc)).body as { revocations: { selector: { kind: string }; affected: object }[] })
    .revocations;

describe('mayfly drill', () => {
  it('has every verifier deny what it revokes, reports how soon, and ends nothing else', async () => {
    const agent = await broker.identity('agent-7');
    const { access_token: token } = (await broker.exchange(agent)).body as { access_token: string };
    const path = join(directory, 'report.json');
    const size = ['--verifiers', '3', '--credentials', '7', '--publications', '2'];
    const { code, out, err } = await drill('drills', ...size, '--report', path);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /3 verifiers, 7 shadow credentials, 2 publications\nEvery verifier denied all that was revoked\./,
    );
    const times = { p50: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) };
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      broker: broker.url,
      verifiers: 3,
      credentials: 7,
      publications: 2,
      passed: true,
      denied: 7,
      timeToDeny: times,
      revocations: { first: 1, last: 2 },
    });
    expect((await broker.introspect(token, agent)).body).toMatchObject({ active: true });
    expect((await receipts()).map(({ selector, affected }) => ({ kind: selector.kind, affected }))).toEqual([
      { kind: 'drill', affected: { credentials: 0, tasks: 0, byTarget: {}, byOwner: {} } },
      { kind: 'drill', affected: { credentials: 0, tasks: 0, byTarget: {}, byOwner: {} } },
    ]);
  });

  it('needs a permit for drills, which is none for anything else', async () => {
    const before = (await receipts()).length;
    const order = { selector: { kind: 'workload', value: 'lab:agent-7' }, reason: 'no drill', unseen: true };
    expect((await broker.post('/revocations', order, await broker.identity('drills'))).status).toBe(403);
    expect(await drill('agent-7')).toMatchObject({ code: 1, err: expect.stringContaining('access_denied') });
    // Who may revoke and not follow has revoked nothing by trying.
    expect(await drill('half', '--verifiers', '1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('The verifiers cannot follow the feed: the broker answers 403'),
    });
    expect(await receipts()).toHaveLength(before);
    // It does not wait for a permit either: each attempt of the verifier would have been refused again.
    const refused = (await audited(broker, 'operation.refused')).filter(({ verb }) => verb === 'followFeed');
    expect(refused.map(({ actor }) => actor?.id)).toEqual(['lab:half']);
  });

  it('is refused for what is no drill, as a hold, and beyond its sizes', async () => {
    for (const [value, effect] of [
      ['lab:agent-7', 'end'],
      [newId('drl'), 'hold'],
      [newId('drl'), 'cutoff'],
    ])
      expect(
        (await broker.post('/revocations', { selector: { kind: 'drill', value }, effect, reason: 'r' }, soc)).status,
      ).toBe(400);
    expect((await drill('drills', '--verifiers', '1001')).code).toBe(1);
  });

  it('has a limit, and who has reached it may still revoke what is real', async () => {
    const half = await broker.identity('half');
    const revoke = async (kind: string, value: string) => {
      const order = { selector: { kind, value }, reason: 'a flood', unseen: true };
      return (await broker.post('/revocations', order, half)).status;
    };
    const statuses = await Promise.all(Array.from({ length: 70 }, () => revoke('drill', newId('drl'))));
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(10);
    expect(await revoke('workload', 'lab:thief')).toBe(200);
  });

  it('says so when a revocation is not heard, and counts no time for it', async () => {
    const token = await broker.identity('drills');
    const size = { verifiers: 2, credentials: 4, publications: 1 };
    const elsewhere = () => Promise.resolve(1);
    const measured = await measureDrill({ broker: broker.url, token, publish: elsewhere }, size, 100);
    const report = reportOf(size, measured, { at: 0, broker: broker.url });
    expect(report).toMatchObject({ passed: false, denied: 0, timeToDeny: null });
    expect(textOf(report)).toContain('NOT PASSED: 0 credentials were denied');
  });

  it('leaves tombstones that are forgotten twelve minutes later', () => {
    expect(forgettableAt('drill', 0)).toBe(12 * 60_000);
  });
});
