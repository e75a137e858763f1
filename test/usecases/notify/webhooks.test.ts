/** Webhooks follow the audit log: each gets every entry it asked for, in order, at least once, signed by the broker. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, flattenedVerify } from 'jose';
import { AUDIT_EVENT_TYPES } from '../../../src/domain/audit-event-types.js';
import { notifySchema } from '../../../src/config/signals-schema.js';
import { deadLetterKey } from '../../../src/ledger/keys.js';
import { readWebhook, listDeadLetters } from '../../../src/ledger/webhooks.js';
import { createNotifier, type Notifier } from '../../../src/notify/notifier.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import type { Records } from '../../../src/store/store.js';
import { freePort } from '../../../scripts/free-port.js';
import { startReceiver, type Received, type Receiver } from '../../support/receiver.js';
import { until } from '../../support/until.js';
import { unreliable, type Fate } from '../../support/audit.js';
import { wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { noProxy } from '../../../src/outbound/proxy.js';

let broker: WholeBroker;
let receiver: Receiver;
let logged: string[];
let metrics: ReturnType<typeof createMetrics>;

interface Wish {
  node?: string;
  records?: Records;
  webhook?: Record<string, unknown>;
}

/** The notifier of one broker. */
function notifier({ node = 'one', records = broker.store.records, webhook = {} }: Wish = {}): Notifier {
  const { ledger, audit, keys } = broker.deps;
  const webhooks = notifySchema.parse([{ name: 'siem', url: receiver.url, ...webhook }]);
  const log = { warn: (...said: unknown[]) => void logged.push(JSON.stringify(said)) };
  return createNotifier(
    {
      ledger: { ...ledger, records },
      audit,
      keys,
      issuer: 'http://127.0.0.1:8080',
      node,
      metrics,
      log,
      proxyFor: noProxy,
      patienceMs: 300,
    },
    webhooks,
  );
}

/** Revokes a workload, and enters that into the audit log. */
async function happen(workload: string, effect: 'hold' | 'cutoff' = 'cutoff'): Promise<void> {
  const selector = { kind: 'workload', value: workload } as const;
  await revoke(broker.deps.ledger, { selector, effect, reason: 'odd', actor: 'lab:soc' });
  await broker.deps.audit.catchUp();
}

const subjects = () => receiver.received.map(({ event }) => event.subject);
const standing = async () => (await readWebhook(broker.deps.ledger, 'siem'))?.value;
const letters = () => listDeadLetters(broker.deps.ledger, 'siem');
/** Lets more time pass than any pause between two tries. */
const later = () => broker.clock.advance(300_001);

beforeEach(async () => {
  broker = await wholeBroker();
  receiver = await startReceiver();
  metrics = createMetrics(broker.clock);
  logged = [];
});

describe('a webhook', () => {
  it('gets what it asked for and nothing else, in order, from its beginning on', async () => {
    await happen('lab:before');
    const siem = notifier();
    await siem.begin();
    await broker.exchange();
    for (const name of ['lab:a', 'lab:b', 'lab:c']) await happen(name);
    await siem.turn();
    expect(subjects()).toEqual(['workload:lab:a', 'workload:lab:b', 'workload:lab:c']);
    await siem.turn();
    expect(receiver.received).toHaveLength(3);
  });

  it('may ask for whole types, first words, and what became of signals', async () => {
    const siem = notifier({ webhook: { types: ['credential.granted', 'task', 'signal.pending'] } });
    await siem.begin();
    const signal = { id: 'sig_a', source: 'idp', event: 'x', level: 'LOW' } as const;
    for (const state of ['recorded', 'pending'] as const)
      await broker.deps.audit.append({
        type: 'signal.evaluated',
        at: broker.clock.now(),
        signal: { ...signal, about: [], state },
      });
    await broker.open();
    await broker.exchange();
    await happen('lab:a');
    await siem.turn();
    expect(receiver.received.map(({ event }) => event.type)).toEqual([
      'mayfly.signal.evaluated',
      'mayfly.task.opened',
      'mayfly.credential.granted',
    ]);
  });

  it('gets every type of audit entry that it asks for', async () => {
    const siem = notifier({ webhook: { types: AUDIT_EVENT_TYPES } });
    await siem.begin();
    for (const type of AUDIT_EVENT_TYPES) await broker.deps.audit.append({ type, at: broker.clock.now() });
    await siem.turn();
    expect(receiver.received.map(({ event }) => event.type)).toEqual(AUDIT_EVENT_TYPES.map((type) => `mayfly.${type}`));
  });

  it.each([
    [['revocations']],
    [['signal.lost']],
    [['signal.accepted']],
    [['task.ended']],
    [['revocation', 'task.suspended']],
    [['approvals']],
    [['Revocation']],
    [[]],
  ])('cannot ask for %j', (types) => {
    expect(notifySchema.safeParse([{ name: 'siem', url: receiver.url, types }]).success).toBe(false);
  });

  it('can verify each event with the public keys, over the exact bytes, and no other', async () => {
    const siem = notifier();
    await siem.begin();
    await happen('lab:a');
    await siem.turn();
    const [{ headers, body }] = receiver.received as [Received];
    expect(headers).toMatchObject({
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
    });
    const keys = createLocalJWKSet(await broker.deps.keys.jwks());
    const [header = '', detached, signature = ''] = String(headers['mayfly-signature']).split('.');
    expect(detached).toBe('');
    const verified = (payload: string) =>
      flattenedVerify({ protected: header, payload: Buffer.from(payload).toString('base64url'), signature }, keys);
    expect((await verified(body)).protectedHeader).toMatchObject({ alg: 'ES256', typ: 'mayfly-webhook+jws' });
    await expect(verified(body.replace('lab:a', 'lab:b'))).rejects.toThrow(/signature/);
    await expect(verified(`${body} `)).rejects.toThrow(/signature/);
  });
});

describe('what a receiver does not take', () => {
  it.each([
    ['answers 500', 500, 'It answered 500.'],
    ['is busy', 429, 'It answered 429.'],
    ['redirects', 302, 'It answered 302.'],
  ])('that %s gets the event again, later, and before anything else', async (_, status, because) => {
    const siem = notifier();
    await siem.begin();
    receiver.answer(status);
    await happen('lab:a');
    await happen('lab:b');
    await siem.turn();
    expect(await standing()).toMatchObject({ failing: { tries: 1, because } });
    await siem.turn();
    expect(subjects()).toEqual(['workload:lab:a']);
    later();
    await siem.turn();
    expect(subjects()).toEqual(['workload:lab:a', 'workload:lab:a', 'workload:lab:b']);
    expect(new Set(receiver.ids()).size).toBe(2);
    expect((await standing())?.failing).toBeUndefined();
  });

  it('that hangs is cut off', async () => {
    const siem = notifier();
    await siem.begin();
    receiver.answer(() => undefined);
    await happen('lab:a');
    await siem.turn();
    expect(await standing()).toMatchObject({ failing: { because: 'It did not answer in time.' } });
  });

  it('that answers with a body for ever is not listened to', async () => {
    const siem = notifier();
    await siem.begin();
    receiver.answer((response) => void response.writeHead(200).write('hunter2'));
    await happen('lab:a');
    await siem.turn();
    expect(await standing()).toMatchObject({ after: (await broker.deps.audit.head()).seq });
  });

  it('that cannot be reached gets its events when it is back; until then the reason is shown', async () => {
    const siem = notifier({ webhook: { url: `http://127.0.0.1:${await freePort()}/` } });
    await siem.begin();
    await happen('lab:a');
    await siem.turn();
    expect(await standing()).toMatchObject({ failing: { because: 'It could not be reached: ECONNREFUSED.' } });
    later();
    await notifier().turn();
    expect(subjects()).toEqual(['workload:lab:a']);
  });

  it('that refuses an event three times does not get it again, and gets the next one', async () => {
    const siem = notifier();
    await siem.begin();
    receiver.answer(410, 410, 410);
    await happen('lab:a');
    await happen('lab:b');
    for (let turn = 0; turn < 3; turn += 1) {
      await siem.turn();
      later();
    }
    expect(subjects()).toEqual([...Array<string>(3).fill('workload:lab:a'), 'workload:lab:b']);
    expect(await letters()).toEqual([
      {
        seq: expect.any(Number),
        id: receiver.ids()[0],
        type: 'revocation.published',
        givenUpAt: expect.any(Number),
        tries: 3,
        because: 'It answered 410.',
      },
    ]);
  });

  it('is given up when it is older than giveUpSeconds, and so is what waits behind it, after a try', async () => {
    const siem = notifier({ webhook: { giveUpSeconds: 3_600 } });
    await siem.begin();
    await happen('lab:a');
    await happen('lab:b');
    receiver.answer(...Array<number>(20).fill(503));
    await siem.turn();
    broker.clock.advance(1_800_000);
    await siem.turn();
    expect(await letters()).toEqual([]);
    broker.clock.advance(1_800_000);
    await siem.turn();
    expect(await letters()).toMatchObject([
      { tries: 3, because: 'It answered 503.' },
      { tries: 1, because: 'It answered 503.' },
    ]);
    await happen('lab:c');
    receiver.answer();
    await siem.turn();
    expect(await standing()).toMatchObject({ failing: { tries: 1 } });
  });

  it('shows in metrics and readiness, and never in the log but by name and number', async () => {
    const siem = notifier();
    await siem.begin();
    receiver.answer(500, 500);
    await happen('lab:a');
    await siem.turn();
    expect([...siem.behind]).toEqual([]);
    broker.clock.advance(301_000);
    await siem.turn();
    expect([...siem.behind]).toEqual([['siem', 301]]);
    const { body } = await metrics.exposition();
    expect(body).toContain('mayfly_webhook_deliveries_total{webhook="siem",result="failed"} 2');
    expect(body).toContain('mayfly_webhook_lag_seconds{webhook="siem"} 301');
    later();
    await siem.turn();
    expect([...siem.behind]).toEqual([]);
    expect((await metrics.exposition()).body).toContain('mayfly_webhook_lag_seconds{webhook="siem"} 0');
    expect(logged.join()).toContain('"tries":2');
    expect(logged.join()).not.toMatch(/hunter2|127\.0\.0\.1|\/hook/);
  });

  it('does not keep the others from theirs', async () => {
    const other = await startReceiver();
    const { ledger, audit, keys } = broker.deps;
    const log = { warn: () => undefined };
    const webhooks = notifySchema.parse([
      { name: 'hangs', url: receiver.url },
      { name: 'hears', url: other.url },
    ]);
    const both = createNotifier(
      { ledger, audit, keys, issuer: 'x', node: 'one', metrics, log, proxyFor: noProxy, patienceMs: 5_000 },
      webhooks,
    );
    await both.begin();
    let release: () => void = () => undefined;
    receiver.answer((response) => (release = () => void response.writeHead(204).end()));
    await happen('lab:a');
    const hanging = both.turn();
    await until(() => receiver.received.length === 1 && other.received.length === 1, 'nothing is delivered');
    await happen('lab:b');
    await until(async () => {
      await both.turn();
      return other.received.length === 2;
    }, 'the other waits');
    expect(receiver.received).toHaveLength(1);
    release();
    await hanging;
    await both.close();
  });
});

describe('a crash', () => {
  it.each<Fate>(['refused', 'lost'])(
    'after the delivery, with the cursor %s, loses none and delivers one twice at most',
    async (fate) => {
      let next: Fate = 'done';
      const records = unreliable(broker.store.records, () => next);
      const siem = notifier({ records });
      await siem.begin();
      await happen('lab:a');
      await happen('lab:b');
      next = fate;
      await expect(siem.turn()).rejects.toThrow();
      next = 'done';
      await notifier().turn();
      const told = receiver.ids();
      expect(subjects()).toEqual(
        fate === 'refused'
          ? ['workload:lab:a', 'workload:lab:a', 'workload:lab:b']
          : ['workload:lab:a', 'workload:lab:b'],
      );
      expect(new Set(told).size).toBe(2);
    },
  );
});

describe('two brokers', () => {
  it('deliver to a webhook once: one has its lease, and the other takes over when that one ends or dies', async () => {
    const [one, two] = [notifier({ node: 'one' }), notifier({ node: 'two' })];
    await Promise.all([one.begin(), two.begin()]);
    const holder = async () => (await standing())?.holder;
    for (const name of ['lab:a', 'lab:b', 'lab:c']) {
      await happen(name);
      await Promise.all([one.turn(), two.turn()]);
    }
    expect(subjects()).toEqual(['workload:lab:a', 'workload:lab:b', 'workload:lab:c']);
    const first = await holder();
    const [dying, surviving] = first === 'one' ? [one, two] : [two, one];

    await happen('lab:d');
    await surviving.turn();
    expect(receiver.received).toHaveLength(3);
    broker.clock.advance(10_000); // The lease of a killed broker expires.
    await surviving.turn();
    expect(subjects()).toHaveLength(4);
    expect(await holder()).not.toBe(first);

    await surviving.close(); // A broker that closes gives its lease up at once.
    await happen('lab:e');
    await dying.turn();
    expect(subjects().at(-1)).toBe('workload:lab:e');
  });

  it('release only their own lease when they end', async () => {
    const [one, two, three] = [notifier({ node: 'one' }), notifier({ node: 'two' }), notifier({ node: 'three' })];
    await one.begin();
    await two.begin();
    await two.close();
    await happen('lab:a');
    await three.turn();
    expect([receiver.received, (await standing())?.holder]).toEqual([[], 'one']);
    await one.turn();
    expect(subjects()).toEqual(['workload:lab:a']);
  });

  it('know both how far behind it is', async () => {
    const [one, two] = [notifier({ node: 'one' }), notifier({ node: 'two' })];
    await one.begin();
    receiver.answer(500, 500, 500);
    await happen('lab:a');
    await one.turn();
    broker.clock.advance(9_000);
    await two.turn();
    expect((await metrics.exposition()).body).toContain('mayfly_webhook_lag_seconds{webhook="siem"} 9');
  });
});

describe('an audit log that no longer has what was not delivered', () => {
  it('is noted, and gone on from where there is something', async () => {
    const siem = notifier();
    await siem.begin();
    const before = (await broker.deps.audit.head()).seq;
    await happen('lab:a');
    broker.clock.advance(86_400_000);
    await broker.deps.audit.prune(broker.clock.now() - 1_000);
    await happen('lab:b');
    await siem.turn();
    expect(subjects()).toEqual(['workload:lab:b']);
    expect(await letters()).toMatchObject([
      { seq: before + 1, upTo: before + 1, tries: 0, because: 'They were pruned from the audit log.' },
    ]);
    expect(logged.join()).toContain('audit entries were lost before they could be delivered to a webhook');
  });

  it('counts anew after it was lost, and is delivered from its beginning', async () => {
    const siem = notifier();
    await happen('lab:a');
    await happen('lab:b');
    await siem.begin();
    const fresh = await wholeBroker();
    await fresh.deps.audit.append({ type: 'log.replaced', at: fresh.clock.now() });
    broker.deps.audit = fresh.deps.audit;
    const anew = notifier({ webhook: { types: ['log'] } });
    await anew.turn();
    expect(receiver.received.map(({ event }) => event.type)).toEqual(['mayfly.log.replaced']);
    expect(await letters()).toMatchObject([{ because: 'The audit log was lost, and counts from 1 again.' }]);
  });
});

it('keeps no more dead letters than it can show', async () => {
  const siem = notifier({ webhook: { giveUpSeconds: 1, types: ['policy'] } });
  await siem.begin();
  for (let count = 0; count < 260; count += 1)
    void broker.deps.audit.append({ type: 'policy.loaded', at: broker.clock.now() });
  await broker.deps.audit.append({ type: 'policy.loaded', at: broker.clock.now() });
  broker.clock.advance(2_000);
  receiver.answer(...Array<number>(261).fill(500));
  await siem.turn();
  const { seq } = await broker.deps.audit.head();
  expect((await letters()).map((letter) => letter.seq)).toEqual(Array.from({ length: 256 }, (_, i) => seq - 255 + i));
  const gone = Array.from({ length: 5 }, (_, i) => deadLetterKey('siem', String(seq - 260 + i).padStart(16, '0')));
  expect(await broker.store.records.read(gone)).toEqual(gone.map(() => undefined));
});
