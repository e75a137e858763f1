/** /revocations: what SOC sees before, what it does, what it did (G8), and how it is lifted. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { expectOAuthRefusal, expectProblem } from '../support/expect-refusal.js';

let broker: TestBroker;
let agent: string;
let soc: string;
let api: string;

beforeEach(async () => {
  broker = await startBroker();
  const long = { expiresInSeconds: 40_000 };
  agent = await broker.identity('agent-7', long);
  soc = await broker.identity('soc', long);
  api = await broker.identity('tickets-api', long);
});

interface Minted {
  access_token: string;
  task_id: string;
}

const mint = async (token = agent) => (await broker.exchange(token)).body as Minted;
const revoke = (body: object, bearer = soc) =>
  broker.post('/revocations', { reason: 'stolen laptop', ...body }, bearer);
const isActive = async ({ access_token: token }: Minted) =>
  ((await broker.introspect(token, api)).body as { active: boolean }).active;
const workload = { kind: 'workload', value: 'lab:agent-7' };
const inSeconds = (seconds: number) => new Date(broker.clock.now() + seconds * 1000).toISOString();

describe('POST /revocations', () => {
  it('with dryRun shows what would be hit, and writes nothing', async () => {
    const minted = [await mint(), await mint()];
    const reply = await revoke({ selector: workload, dryRun: true });
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({
      dryRun: true,
      at: new Date(broker.clock.now()).toISOString(),
      selector: workload,
      effect: 'hold',
      seen: true,
      reentry: 'refused',
      affected: { credentials: 2, tasks: 2, byTarget: { [TICKETS]: 2 }, byOwner: { sre: 2 } },
      effects: [{ kind: 'jwt', effect: 'refused', count: 2, believedOfflineUntil: inSeconds(300) }],
    });
    expect(await Promise.all(minted.map(isActive))).toEqual([true, true]);
    expect((await broker.get('/revocations', soc)).body).toEqual({ revocations: [] });
  });

  it('holds a workload by default: everything dead, nothing born, until the hold is lifted; the dead stay dead', async () => {
    const minted = await mint();
    const reply = await revoke({ selector: workload, ticket: 'INC-1' });
    const { seq } = reply.body as { seq: number };
    expect(reply.status).toBe(200);
    expect(reply.headers.get('location')).toBe(`${broker.url}/revocations/${seq}`);
    expect(reply.body).toEqual({
      seq: expect.any(Number),
      at: new Date(broker.clock.now()).toISOString(),
      selector: workload,
      effect: 'hold',
      reason: 'stolen laptop',
      ticket: 'INC-1',
      actor: 'lab:soc',
      seen: true,
      reentry: 'refused',
      affected: { credentials: 1, tasks: 1, byTarget: { [TICKETS]: 1 }, byOwner: { sre: 1 } },
      effects: [
        {
          kind: 'jwt',
          effect: 'refused',
          count: 1,
          refusedOnlineSince: inSeconds(0),
          believedOfflineUntil: inSeconds(300),
        },
      ],
    });
    expect(await isActive(minted)).toBe(false);
    const held = await broker.exchange(agent);
    expectOAuthRefusal(held, 400, 'access_denied');
    expect(held.body).toHaveProperty('retry', 'after-lift');

    const lifted = await broker.remove(`/revocations/${seq}?reason=laptop%20found`, soc);
    expect([lifted.status, lifted.body]).toMatchObject([200, { seq, liftedBy: seq + 1, reentry: 'possible' }]);
    expect(await isActive(minted)).toBe(false);
    expect(await isActive(await mint())).toBe(true);
  });

  it.each([
    ['owner', 'sre'],
    ['issuer', 'lab'],
    ['principal', 'lab:agent-7'],
    ['target', TICKETS],
    ['all', undefined],
  ])('reaches what hangs on its %s', async (kind, value) => {
    const minted = await mint();
    // Who is of the revoked issuer or team has no verbs left: the receipt itself is still the answer.
    const reply = await revoke({ selector: { kind, value }, effect: 'cutoff' });
    expect(reply.body).toMatchObject({ effect: 'cutoff', reentry: 'possible', affected: { credentials: 1 } });
    const seen = await broker.introspect(minted.access_token, api);
    expect(seen.text).toBe('{"active":false}');
  });

  it('ends one task or one credential, and the rest lives', async () => {
    const [one, two, other] = [await mint(), await mint(), await mint()];
    const id = ((await broker.introspect(two.access_token, api)).body as { jti: string }).jti;
    const task = await revoke({ selector: { kind: 'task', value: one.task_id } });
    expect(task.body).toMatchObject({ effect: 'end', affected: { credentials: 1, tasks: 1 } });
    const credential = await revoke({ selector: { kind: 'credential', value: id } });
    expect(credential.body).toMatchObject({ effect: 'end', affected: { credentials: 1, tasks: 0 } });
    expect([await isActive(one), await isActive(two), await isActive(other)]).toEqual([false, false, true]);
  });

  it('takes a leaked token as it was found, and neither log nor audit ever has it', async () => {
    const minted = await mint();
    const preview = await revoke({ leaked: minted.access_token, dryRun: true });
    expect(preview.body).toMatchObject({ affected: { credentials: 1 } });
    const reply = await revoke({ leaked: minted.access_token });
    expect(reply.body).toMatchObject({ selector: { kind: 'credential' }, effect: 'end', affected: { credentials: 1 } });
    expect(await isActive(minted)).toBe(false);
    const { lines } = (await broker.get('/audit?limit=1000', soc)).body as { lines: string[] };
    const [, , signature = ''] = minted.access_token.split('.');
    expect(lines.join() + broker.logged()).not.toContain(signature);
  });

  it('says that a text contains no token of ours, and publishes nothing', async () => {
    const { access_token: token } = await mint();
    const count = async () =>
      ((await broker.get('/revocations', soc)).body as { revocations: object[] }).revocations.length;
    const before = await count();
    for (const leaked of ['something found on a pastebin', token.slice(0, -1), await broker.identity('agent-7')])
      expectProblem(
        await revoke({ leaked }),
        400,
        'invalid_request',
        /no valid token of this broker.*Nothing was revoked/,
      );
    expect(await count()).toBe(before);
  });

  it('refuses whom it has never seen, until the caller insists, and then the receipt says so', async () => {
    const selector = { kind: 'workload', value: 'lab:agnet-7' };
    expectProblem(await revoke({ selector }), 400, 'invalid_request', /Nothing was ever seen.*say "unseen": true/);
    expect((await revoke({ selector, dryRun: true })).body).toMatchObject({ seen: false, affected: { tasks: 0 } });
    for (let times = 0; times < 2; times += 1) {
      const reply = await revoke({ selector, unseen: true });
      expect([reply.status, reply.body]).toMatchObject([
        200,
        { seen: false, affected: { credentials: 0, tasks: 0 }, effects: [] },
      ]);
    }
    expectOAuthRefusal(await broker.exchange(await broker.identity('agnet-7')), 400, 'access_denied');
  });

  it('refuses a trust name that nobody has, and says who may be meant', async () => {
    for (const [value, meant] of [
      ['agent-7', 'lab:agent-7'],
      ['lba:agent-7', 'lab:agent-7'],
    ])
      for (const more of [{}, { unseen: true }, { dryRun: true }])
        expectProblem(
          await revoke({ selector: { kind: 'workload', value }, ...more }),
          400,
          'invalid_request',
          new RegExp(`would hit nobody.*Did you mean ${meant}`),
        );
  });

  it('knows whoever has called, also when all it asked for was refused', async () => {
    const stranger = await broker.identity('stranger', { team: 'strangers' });
    await broker.get('/revocations', stranger);
    for (const selector of [
      { kind: 'workload', value: 'lab:stranger' },
      { kind: 'owner', value: 'strangers' },
    ])
      expect((await revoke({ selector })).body).toMatchObject({ seen: true });
  });

  it('with until is lifted by the sweep when its time is up', async () => {
    const until = new Date(broker.clock.now() + 60_000).toISOString();
    const { seq } = (await revoke({ selector: workload, until, unseen: true })).body as { seq: number };
    expect((await broker.exchange(agent)).status).toBe(400);
    await broker.advance(60_000);
    await broker.work('receipts');
    expect((await broker.exchange(agent)).status).toBe(200);
    expect((await broker.get(`/revocations/${seq}`, soc)).body).toMatchObject({ until, reentry: 'possible' });
  });

  it.each([
    ['an unknown kind', { selector: { kind: 'planet', value: 'x' } }, /selector\.kind/],
    ['a blank value', { selector: { kind: 'workload', value: ' ' } }, /malformed for its kind/],
    ['no value', { selector: { kind: 'workload' } }, /malformed for its kind/],
    ['a malformed id', { selector: { kind: 'task', value: 'tsk_1' } }, /malformed for its kind/],
    ['all with a value', { selector: { kind: 'all', value: 'x' } }, /malformed for its kind/],
    ['an effect that does not fit', { selector: workload, effect: 'end' }, /does not fit a workload/],
    [
      'a hold on a credential',
      { selector: { kind: 'credential', value: 'crd_aabbbbbbbbbbbbbb' }, effect: 'hold' },
      /fit/,
    ],
    ['dryrun misspelt', { selector: workload, dryrun: true }, /no field of the name dryrun; there is dryRun\.$/],
    ['dryRun as text', { selector: workload, dryRun: 'true' }, /dryRun/],
    ['an unknown field in the selector', { selector: { ...workload, id: 'x' } }, /no field of the name id in selector/],
    ['neither selector nor leaked', {}, /exactly one of them/],
    ['selector and leaked', { selector: workload, leaked: 'x' }, /exactly one of them/],
    ['no reason', { selector: workload, reason: undefined }, /reason/],
    ['until in the past', { selector: workload, until: '2020-01-01T00:00:00Z' }, /is past/],
    ['until after the year 9999', { selector: workload, until: '9999-12-31T23:59:59-23:59' }, /RFC 3339/],
    ['until that is no time', { selector: workload, until: 'tomorrow' }, /RFC 3339/],
    ['until without a zone', { selector: workload, until: '2031-01-01T00:00:00' }, /RFC 3339/],
    [
      'until on what is no hold',
      { selector: workload, effect: 'cutoff', until: '2031-01-01T00:00:00Z' },
      /Only a hold/,
    ],
  ])('with %s is 400, and revokes nothing', async (_, body, detail) => {
    expectProblem(await revoke(body), 400, 'invalid_request', detail);
    expect((await broker.get('/revocations', soc)).body).toEqual({ revocations: [] });
  });

  it('is refused to whom policy does not let, and to nobody in particular', async () => {
    expectProblem(await revoke({ selector: workload }, agent), 403, 'access_denied', /"revoke"/);
    expectProblem(await broker.post('/revocations', { selector: workload }), 401, 'invalid_token');
  });
});

describe('receipts', () => {
  it('stay readable, one by one and in pages, oldest first', async () => {
    for (const value of ['a', 'b', 'c']) await revoke({ selector: { kind: 'owner', value }, unseen: true });
    const first = (await broker.get('/revocations?limit=2', soc)).body as {
      revocations: { seq: number }[];
      next: number;
    };
    expect(first.revocations).toHaveLength(2);
    const rest = (await broker.get(`/revocations?after=${first.next}&limit=2`, soc)).body as typeof first;
    expect(rest.revocations).toMatchObject([{ selector: { value: 'c' } }]);
    expect(rest).not.toHaveProperty('next');
    const [one] = first.revocations;
    expect((await broker.get(`/revocations/${one?.seq ?? 0}`, soc)).body).toEqual({ ...one, verifiers: [], roles: [] });
  });

  it('say the same two moments whenever they are read', async () => {
    await mint();
    const facts = { refusedOnlineSince: inSeconds(0), believedOfflineUntil: inSeconds(300) };
    const { seq } = (await revoke({ selector: workload })).body as { seq: number };
    for (const wait of [0, 100_000, 300_000]) {
      await broker.advance(wait);
      expect((await broker.get(`/revocations/${seq}`, soc)).body).toMatchObject({ effects: [facts] });
    }
  });

  it.each(['/revocations/999', '/revocations/0', '/revocations/x', '/revocations/1e3'])('%s is 404', async (path) => {
    expectProblem(await broker.get(path, soc), 404, 'not_found');
    expectProblem(await broker.remove(path, soc), 404, 'not_found');
  });

  it.each(['?limit=0', '?limit=1001', '?limit=x', '?after=-1', '?limit=1&limit=2', '?offset=1'])(
    '%s is 400',
    async (query) => {
      expectProblem(await broker.get(`/revocations${query}`, soc), 400, 'invalid_request');
    },
  );

  it('lifting what is no hold, or is lifted already, is a conflict', async () => {
    const cut = (await revoke({ selector: workload, effect: 'cutoff', unseen: true })).body as { seq: number };
    expectProblem(await broker.remove(`/revocations/${cut.seq}`, soc), 409, 'conflict');
    const hold = (await revoke({ selector: workload, unseen: true })).body as { seq: number };
    expect((await broker.remove(`/revocations/${hold.seq}`, soc)).status).toBe(200);
    expectProblem(await broker.remove(`/revocations/${hold.seq}`, soc), 409, 'conflict');
  });

  it('two holds need two lifts', async () => {
    const holds = [
      await revoke({ selector: workload, unseen: true }),
      await revoke({ selector: workload, unseen: true }),
    ];
    for (const hold of holds) {
      expectOAuthRefusal(await broker.exchange(agent), 400, 'access_denied');
      await broker.remove(`/revocations/${(hold.body as { seq: number }).seq}`, soc);
    }
    expect((await broker.exchange(agent)).status).toBe(200);
  });
});
