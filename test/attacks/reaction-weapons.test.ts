/**
 * Somebody aims a reaction at others, or keeps one away from themselves: by what may be written beside a hold, by using up what
 * brakes reactions, by reporting twice, or by a report that comes first. One whole broker, over HTTP, on which every source may hit
 * one party a minute by each reaction.
 */
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { signalId, type Signal } from '../../src/domain/signal.js';
import { isActive, minted, push, startSignalBroker, type SignalBroker } from '../support/brokers/signals.js';
import { opaque, person, workload } from '../support/issuers/transmitter.js';
import { until } from '../support/until.js';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const TWO = { sources: 2, withinSeconds: 600 };
const REACTIONS = [
  { name: 'hold', event: 'session-revoked', do: 'hold', covers: 'workload' },
  { name: 'stop', event: 'credential-compromise', do: 'end', covers: 'task' },
  { name: 'leaver', event: 'account-disabled', do: 'hold' },
  { name: 'everybody', event: 'credential-change', do: 'hold', covers: 'issuer' },
  { name: 'cut', event: 'sessions-revoked', do: 'cutoff', covers: 'workload' },
  { name: 'two', event: 'risk-level-change', do: 'hold', covers: 'workload', corroborate: TWO },
  { name: 'brief', event: 'device-compliance-change', do: 'hold', covers: 'workload', holdSeconds: 60 },
  { name: 'alarm', event: 'use-after-end', do: 'hold', covers: 'workload', corroborate: TWO },
];
const POLICIES = `
@id("every-branch-may-report") permit (principal, action == Action::"sendSignal", resource);
@id("holds-everything") permit (principal == Workload::"lab:lead", action == Action::"revoke", resource)
when { context.effect != "lift" };
@id("lifts-one-kind") permit (principal == Workload::"lab:lifts-all-but-all", action == Action::"revoke", resource)
when { context.kind != "all" };`;

let setting: SignalBroker;
let soc: string;
beforeAll(async () => {
  const detectors = { useAfterEnd: { observe: false } };
  const signals = { reactions: REACTIONS, maxPartiesPerMinute: 1, detectors };
  setting = await startSignalBroker(signals, { policies: POLICIES });
});
afterEach(() => setting.broker.advance(61_000));

let sent = 0;

/** Reports as a transmitter (`idp`, `edr`) or as a caller; returns the signal when all is done about it. */
async function report(by: string, event: string, subject: object): Promise<Signal> {
  const { broker, idp, edr } = setting;
  const itsId = `report-${(sent += 1)}`;
  const transmitter = { idp, edr }[by];
  const uri = `${/^(sessions|account|credential-compromise)/.test(event) ? RISC : CAEP}${event}`;
  const { status } = transmitter
    ? await push(broker, await transmitter.set(subject, { event: uri, claims: { jti: itsId } }))
    : await broker.post('/signals/json', { id: itsId, event, subject }, await broker.identity(by));
  expect(status).toBe(202);
  soc = await broker.identity('soc');
  let signal: Signal | undefined;
  await until(async () => {
    const id = signalId(transmitter ? by : `lab:${by}`, itsId);
    signal = (await broker.get(`/signals/${id}`, soc)).body as Signal;
    return signal.state !== 'accepted' && signal.unfinished === undefined;
  }, 'nobody looked at the signal');
  if (!signal) throw new Error('no signal');
  return signal;
}

const stateOf = async (...told: Parameters<typeof report>) => (await report(...told)).state;
const mint = async (sub: string, times = 1) =>
  Promise.all(Array.from({ length: times }, () => minted(setting.broker, sub)));
const lift = (seq: number | undefined) => setting.broker.remove(`/revocations/${seq}`, soc);
const isGranted = async (sub: string) =>
  (await setting.broker.exchange(await setting.broker.identity(sub))).status === 200;

describe('a hold that somebody else placed', () => {
  const selector = { kind: 'workload', value: 'lab:forged' };

  it('does not pass for that of a reaction, whatever its ticket and its reason say', async () => {
    const words = { reason: 'session-revoked from idp: hold', ticket: 'reaction:hold' };
    soc = await setting.broker.identity('soc');
    const forged = await setting.broker.post('/revocations', { selector, ...words, unseen: true }, soc);
    expect(await stateOf('idp', 'session-revoked', workload('forged'))).toBe('reacted');
    expect((await lift((forged.body as { seq: number }).seq)).status).toBe(200);
    expect(await isGranted('forged')).toBe(false);
  });

  it('cannot be said to be of a reaction', async () => {
    const order = { selector, reason: 'x', reaction: 'hold', unseen: true };
    expect(await setting.broker.post('/revocations', order, soc)).toMatchObject({ status: 400 });
  });
});

describe('whoever opens many tasks', () => {
  it('is held all the same, as a workload, as a person, and where all of an issuer are held', async () => {
    const ada = await setting.broker.person('ada');
    await mint('busy', 3);
    for (let task = 0; task < 3; task += 1) {
      const actor = { actor_token: await setting.broker.identity('assistant'), actor_token_type: JWT };
      expect((await setting.broker.exchange(ada, actor)).status).toBe(200);
    }
    const held = await report('idp', 'session-revoked', workload('busy'));
    expect(held).toMatchObject({ state: 'reacted', reaction: { tasks: 3 } });
    expect(await report('idp', 'account-disabled', person('ada'))).toMatchObject({ reaction: { tasks: 3 } });
    const { state, reaction } = await report('idp', 'credential-change', person('bob'));
    expect([state, reaction?.selector?.value]).toEqual(['reacted', 'staff']);
    await lift(reaction?.seq);
  });

  it('does not use up what is there for others, when all of them are reported', async () => {
    const decoys = await mint('decoy', 3);
    for (const { task } of decoys) expect(await stateOf('edr', 'credential-compromise', opaque(task))).toBe('reacted');
    const [other] = await mint('other');
    expect(await stateOf('edr', 'credential-compromise', opaque(other?.task ?? ''))).toBe('pending');
    expect(await isActive(setting.broker, other ?? { token: '' })).toBe(true);
    await setting.broker.advance(61_000);
    expect(await stateOf('edr', 'credential-compromise', opaque(other?.task ?? ''))).toBe('reacted');
  });
});

describe('a source that has used up its budget', () => {
  it('keeps no other away, of the same subject either, and neither another reaction nor another issuer', async () => {
    expect(await stateOf('idp', 'session-revoked', workload('first'))).toBe('reacted');
    expect(await stateOf('idp', 'session-revoked', workload('second'))).toBe('pending');
    expect(await stateOf('edr', 'session-revoked', workload('second'))).toBe('reacted');
    expect(await stateOf('idp', 'sessions-revoked', workload('third'))).toBe('reacted');
    expect(await stateOf('idp', 'account-disabled', workload('third'))).toBe('reacted');
    expect(await stateOf('idp', 'account-disabled', person('carol'))).toBe('reacted');
    expect(await stateOf('idp', 'account-disabled', person('dave'))).toBe('pending');
  });

  it('has no other one under another name that its issuer gives it', async () => {
    expect(await stateOf('branch-1', 'session-revoked', workload('named-1'))).toBe('reacted');
    expect(await stateOf('branch-2', 'session-revoked', workload('named-2'))).toBe('pending');
    expect(await stateOf('edr', 'session-revoked', workload('named-2'))).toBe('reacted');
  });

  it('uses up no report: another source that reported the same, too, can still act', async () => {
    const both = async (sub: string) => [
      await stateOf('idp', 'risk-level-change', workload(sub)),
      await stateOf('edr', 'risk-level-change', workload(sub)),
    ];
    expect(await both('both-1')).toEqual(['waiting', 'reacted']);
    expect(await both('both-2')).toEqual(['waiting', 'pending']);
    await setting.broker.advance(1_000);
    expect(await stateOf('idp', 'risk-level-change', workload('both-2'))).toBe('reacted');
  });
});

describe('one origin counts once', () => {
  it('however many names its issuer gives it', async () => {
    expect(await stateOf('branch-1', 'risk-level-change', workload('victim'))).toBe('waiting');
    for (let branch = 2; branch < 20; branch += 1)
      expect(await stateOf(`branch-${branch}`, 'risk-level-change', workload('victim'))).toBe('waiting');
    expect(await stateOf('idp', 'risk-level-change', workload('victim'))).toBe('reacted');
  });

  it('also where a detector found the same in what it showed', async () => {
    const { broker } = setting;
    const [{ token, id } = { token: '', id: '' }] = await mint('returned');
    const by = async (sub: string) => ({ authorization: `Bearer ${await broker.identity(sub)}` });
    await broker.form('/revoke', { token }, await by('returned'));
    await broker.introspect(token, await broker.identity('tickets-api'));
    await broker.work('detectors');
    expect(await stateOf('tickets-api', 'use-after-end', opaque(id))).toBe('waiting');
    expect(await isGranted('returned')).toBe(true);
  });
});

describe('a report that comes first', () => {
  it('does not answer for what happens after it: whoever came back after a cutoff is cut off again', async () => {
    expect(await stateOf('idp', 'sessions-revoked', workload('phoenix'))).toBe('reacted');
    await setting.broker.advance(10_000);
    const [back] = await mint('phoenix');
    expect(await stateOf('edr', 'sessions-revoked', workload('phoenix'))).toBe('reacted');
    expect(await isActive(setting.broker, back ?? { token: '' })).toBe(false);
  });

  it('does not answer for a hold that was lifted since', async () => {
    const { reaction } = await report('idp', 'session-revoked', workload('lifted'));
    expect((await lift(reaction?.seq)).status).toBe(200);
    expect(await stateOf('edr', 'session-revoked', workload('lifted'))).toBe('reacted');
    expect(await isGranted('lifted')).toBe(false);
  });

  it('does not let a hold end just after a later one: at least half of its time comes after every report', async () => {
    expect(await stateOf('idp', 'device-compliance-change', workload('brief'))).toBe('reacted');
    await setting.broker.advance(59_000);
    expect(await stateOf('edr', 'device-compliance-change', workload('brief'))).toBe('reacted');
    await setting.broker.advance(30_000);
    await setting.broker.work('receipts');
    expect(await isGranted('brief')).toBe(false);
  });
});

const JWT = 'urn:ietf:params:oauth:token-type:jwt';

describe('a source is muted by nobody', () => {
  const mute = async (sub: string, source: string) => {
    const { broker } = setting;
    return (await broker.post('/signals/mutes', { source }, await broker.identity(sub))).status;
  };

  it.each(['agent-7', 'siem', 'orchestrator', 'tickets-api', 'lead', 'lifts-all-but-all'])(
    'who may not lift a hold of everything: %s',
    async (sub) => {
      for (const source of ['idp', 'detector', 'lab:siem', `lab:${sub}`]) expect(await mute(sub, source)).toBe(403);
      expect(await stateOf('idp', 'session-revoked', workload(`told-of-${sub}`))).toBe('reacted');
    },
  );
});
