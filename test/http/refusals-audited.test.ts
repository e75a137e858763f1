/** Whatever an authenticated caller is refused, the audit log has exactly one entry of it: by whom, which verb, and why. */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { requests } from '../support/refused-requests.js';

let broker: TestBroker;
let nobody: string;
let soc: string;
/** A task of the workload that policy lets do nothing else: its verbs exist for it. */
let foreign: string;

beforeAll(async () => {
  broker = await startBroker({ config: { limits: { perWorkloadPerMinute: 1_000 } } });
  nobody = await broker.identity('nobody', { team: 'none' });
  soc = await broker.identity('soc');
  const orchestrator = await broker.identity('orchestrator');
  const opened = await broker.post('/tasks', { workload: 'lab:agent-7', purpose: 'x' }, orchestrator);
  foreign = (opened.body as { id: string }).id;
});

const revocation = { selector: { kind: 'all' }, reason: 'x' };

const asNobody = () => ({ broker, token: nobody, task: foreign });

// The first refusals of a minute are entered whole: each test has minutes of its own.
beforeEach(async () => {
  await broker.work('refusals');
  await broker.work('refusals');
});

interface Entry {
  requestId?: string;
  type: string;
}

/** The refusals in the audit log of one request. */
async function refusalsOf(requestId: string): Promise<Entry[]> {
  const { lines } = (await broker.get('/audit?type=operation.refused&limit=1000', soc)).body as { lines: string[] };
  return lines.map((line) => JSON.parse(line) as Entry).filter((entry) => entry.requestId === requestId);
}

describe('one entry in the audit log', () => {
  it.each(requests)('%s: when policy does not let the caller %s', async (verb, name, send) => {
    const requestId = `denied-${name.replaceAll(' ', '-')}`;
    const { status } = await send(asNobody(), { 'x-request-id': requestId }, false);
    expect([403, 404]).toContain(status);
    expect(await refusalsOf(requestId)).toEqual([
      expect.objectContaining({ verb, actor: expect.objectContaining({ id: 'lab:nobody' }) as object }),
    ]);
  });

  it.each(requests)('%s: when the request to %s has an unknown field', async (verb, name, send) => {
    const requestId = `bad-${name.replaceAll(' ', '-')}`;
    expect(await send(asNobody(), { 'x-request-id': requestId }, true)).toMatchObject({ status: 400 });
    expect(await refusalsOf(requestId)).toEqual([expect.objectContaining({ verb, error: 'invalid_request' })]);
  });

  it('when a person decides about a signal that is not there', async () => {
    for (const verdict of ['confirm', 'dismiss']) {
      const headers = { 'x-request-id': verdict };
      const reply = await broker.post(`/signals/sig_aabbbbbbbbbbbbbb/${verdict}`, {}, soc, headers);
      expect(reply.status).toBe(404);
      expect(await refusalsOf(verdict)).toEqual([expect.objectContaining({ verb: verdict, error: 'not_found' })]);
    }
  });

  it.each([
    [
      'lifts no hold',
      'revoke',
      () =>
        broker.send('/revocations/999', {
          method: 'DELETE',
          headers: { authorization: `Bearer ${soc}`, 'x-request-id': 'lifts-no-hold' },
        }),
    ],
    [
      'reads no receipt',
      'readRevocations',
      () => broker.get('/revocations/999', soc, { 'x-request-id': 'reads-no-receipt' }),
    ],
    ['reads no signal', 'readRevocations', () => broker.get('/signals/x', soc, { 'x-request-id': 'reads-no-signal' })],
    [
      'reads no credential',
      'readCredential',
      () => broker.get('/credentials/x', soc, { 'x-request-id': 'reads-no-credential' }),
    ],
  ])('when policy permits a caller the verb, and it %s', async (name, verb, send) => {
    expect((await send()).status).toBe(404);
    expect(await refusalsOf(name.replaceAll(' ', '-'))).toEqual([
      expect.objectContaining({ verb, error: 'not_found' }),
    ]);
  });

  it('when a task that has ended is suspended, resumed or given a heartbeat', async () => {
    const orchestrator = await broker.identity('orchestrator');
    const opened = await broker.post('/tasks', { workload: 'lab:agent-7', purpose: 'x' }, orchestrator);
    const { id } = opened.body as { id: string };
    expect((await broker.post(`/tasks/${id}/complete`, { outcome: 'completed' }, orchestrator)).status).toBe(200);
    for (const [path, verb] of [
      ['suspend', 'suspendTask'],
      ['resume', 'resumeTask'],
      ['heartbeat', 'heartbeat'],
    ] as const) {
      const headers = { 'x-request-id': `ended-${path}` };
      const { status } = await broker.post(`/tasks/${id}/${path}`, {}, orchestrator, headers);
      expect([403, 409]).toContain(status);
      expect(await refusalsOf(`ended-${path}`)).toEqual([expect.objectContaining({ verb, task: id })]);
    }
  });

  it.each([
    ['an effect that does not fit', { ...revocation, effect: 'cutoff', selector: { kind: 'task', value: 'x' } }],
    ['neither a selector nor a leaked string', { reason: 'x' }],
    ['both', { ...revocation, leaked: 'x' }],
  ])('when a revocation has %s', async (name, body) => {
    const requestId = name.replaceAll(' ', '-');
    expect((await broker.post('/revocations', body, soc, { 'x-request-id': requestId })).status).toBe(400);
    expect(await refusalsOf(requestId)).toEqual([
      expect.objectContaining({ verb: 'revoke', error: 'invalid_request' }),
    ]);
  });

  it('when a timeline is asked of a task and a workload at once', async () => {
    const path = `/timeline?task=${foreign}&workload=lab:agent-7`;
    expect((await broker.get(path, soc, { 'x-request-id': 'both-subjects' })).status).toBe(400);
    expect(await refusalsOf('both-subjects')).toEqual([
      expect.objectContaining({ verb: 'readAudit', error: 'invalid_request' }),
    ]);
  });

  it('when a caller that is held gives a token back', async () => {
    const owner = await broker.identity('holder', { team: 'held' });
    const selector = { kind: 'owner', value: 'held' };
    expect(
      (await broker.post('/revocations', { selector, effect: 'hold', reason: 'x', unseen: true }, soc)).status,
    ).toBe(200);
    const headers = { authorization: `Bearer ${owner}`, 'x-request-id': 'return' };
    expect((await broker.form('/revoke', { token: 'x' }, headers)).status).toBe(400);
    expect(await refusalsOf('return')).toEqual([
      expect.objectContaining({ verb: 'returnToken', error: 'access_denied' }),
    ]);
  });

  it('when policy does not let an API introspect', async () => {
    const issued = (await broker.exchange(await broker.identity('agent-7'))).body as { access_token: string };
    const headers = { authorization: `Bearer ${nobody}`, 'x-request-id': 'introspect' };
    const reply = await broker.form('/introspect', { token: issued.access_token }, headers);
    expect(reply.body).toEqual({ active: false });
    expect(await refusalsOf('introspect')).toEqual([expect.objectContaining({ verb: 'introspect' })]);
  });
});
