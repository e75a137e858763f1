/** POST /signals/json: for sources that cannot sign event tokens. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/expect-refusal.js';
import { evaluated, startSignalBroker, type SignalBroker } from '../support/brokers/signals.js';
import { workload } from '../support/issuers/transmitter.js';

const RULES = [
  { name: 'siem-says', event: 'session-revoked', from: ['lab:siem'], do: 'hold', covers: 'workload' },
  { name: 'verifier-says', event: 'use-after-end', do: 'record' },
];
let setting: SignalBroker;
beforeAll(async () => {
  setting = await startSignalBroker({ reactions: RULES });
});

let told = 0;
const signal = (more: object = {}) => ({
  id: `alert-${(told += 1)}`,
  event: 'session-revoked',
  subject: workload(`agent-${told}`),
  ...more,
});
const tell = async (body: object | string, sub = 'siem') =>
  setting.broker.post('/signals/json', body, await setting.broker.identity(sub));

describe('a caller whom policy lets send signals', () => {
  it('is answered 202 with the id, and the same reactions follow as for event tokens', async () => {
    const { broker } = setting;
    const reply = await tell(signal({ subject: workload('agent-7'), reason: 'beacon seen', level: 'MEDIUM' }));
    expect([reply.status, reply.body]).toEqual([202, { id: expect.stringMatching(/^sig_[a-z2-7]{16}$/) }]);
    const [first] = await evaluated(broker, 1);
    expect(first).toMatchObject({
      ...{ id: (reply.body as { id: string }).id, source: 'lab:siem', level: 'MEDIUM', why: 'beacon seen' },
      ...{ state: 'reacted', reaction: { rule: 'siem-says', selector: { kind: 'workload', value: 'lab:agent-7' } } },
    });
    expect((await broker.exchange(await broker.identity('agent-7'))).body).toMatchObject({ retry: 'after-lift' });
  });

  it('repeats itself without harm, and cannot say something else under the same id', async () => {
    const one = signal();
    const [first, again] = [await tell(one), await tell(one)];
    expect([again.status, again.body]).toEqual([202, first.body]);
    expectProblem(await tell({ ...one, level: 'LOW' }), 409, 'conflict', /Another signal/);
  });

  it('has ids of its own: nobody can say something under them first', async () => {
    const { broker } = await startSignalBroker(
      {},
      {
        policies:
          '@id("second") permit (principal == Workload::"lab:other", action == Action::"sendSignal", resource);',
      },
    );
    const as = async (sub: string) => broker.post('/signals/json', signal({ id: 'one' }), await broker.identity(sub));
    expect([(await as('other')).status, (await as('siem')).status]).toEqual([202, 202]);
    expect(new Set((await evaluated(broker, 2)).map(({ source }) => source))).toEqual(
      new Set(['lab:other', 'lab:siem']),
    );
  });

  it('may be a verifier that saw a dead credential', async () => {
    expect((await tell(signal({ event: 'use-after-end' }))).status).toBe(202);
  });

  it('speaks of those alone that the configuration names', async () => {
    const { broker } = await startSignalBroker({ about: ['staff'], reactions: RULES });
    await broker.post('/signals/json', signal({ subject: workload('agent-7') }), await broker.identity('siem'));
    expect(await evaluated(broker, 1)).toMatchObject([{ about: [], state: 'recorded' }]);
    expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(200);
  });

  it('may say when it was; a time in the future, or impossibly long ago, is not taken', async () => {
    for (const at of ['2029-12-31T23:00:00Z', '2099-01-01T00:00:00Z', '1971-01-01T00:00:00Z'])
      expect((await tell(signal({ at }))).status).toBe(202);
    expect((await tell(signal({ at: '1901-01-01T00:00:00Z' }))).status).toBe(400); // Before 1970 it is no time.
  });
});

describe('is refused', () => {
  it('without an identity', async () => {
    expectProblem(await setting.broker.post('/signals/json', signal()), 401, 'invalid_token');
  });

  it('from somebody whom policy does not permit it', async () => {
    expectProblem(await tell(signal(), 'agent-7777'), 403, 'access_denied', /"sendSignal"/);
  });

  it.each<[string, object | string, RegExp]>([
    ['an event of ours', signal({ event: 'denial-burst' }), /event/],
    ['an unknown event', signal({ event: 'rain' }), /event/],
    ['an unknown level', signal({ level: 'EXTREME' }), /level/],
    ['no subject', signal({ subject: undefined }), /subject/],
    ['a subject of no format', signal({ subject: { sub: 'agent-7' } }), /subject\.format/],
    ['no id', signal({ id: undefined }), /id/],
    ['an id that nobody can see', signal({ id: 'a\u0007' }), /id: must be/],
    ['a reason that writes to terminals', signal({ reason: '\u001b[2J' }), /reason/],
    ['a field that there is not', signal({ severity: 1 }), /severity/],
    ['a field twice', '{"id":"a","id":"b","event":"session-revoked","subject":{"format":"opaque"}}', /twice/],
    ['a day without time', signal({ at: '2030-01-01' }), /at/],
    ['nothing', '', /./],
  ])('with %s', async (_name, body, detail) => {
    expectProblem(await tell(body), 400, 'invalid_request', detail);
  });

  it('with a megabyte', async () => {
    expectProblem(await tell(JSON.stringify(signal({ reason: 'a'.repeat(1_000_000) }))), 413, 'payload_too_large');
  });
});
