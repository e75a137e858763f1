/**
 * Policy is decided elsewhere, and somebody asks the broker for as much as it can that has to be asked there. People revoke all the
 * while: neither who has every right nor who has none keeps them waiting.
 */
import type { ServerResponse } from 'node:http';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { bodyOf, json, serve, type EvaluationRequest } from '../support/policy-engines/decision-point.js';
import { until } from '../support/until.js';

const ENTRIES = 100;

describe('While an engine elsewhere has questions that it does not answer', () => {
  let broker: TestBroker;
  /** What it does not answer, and what it has so far left unanswered. */
  let isHeld: (request: EvaluationRequest) => boolean;
  let held: [request: EvaluationRequest, response: ServerResponse][];
  let soc: string;

  beforeEach(async () => {
    held = [];
    isHeld = () => false;
    const { url } = await serve((request, response) => {
      if (request.method === 'GET') return void response.writeHead(404).end();
      void bodyOf(request).then((body) => {
        const asked = body as EvaluationRequest;
        if (isHeld(asked)) held.push([asked, response]);
        else json(response, { decision: asked.subject.id !== 'lab:stranger' });
      });
    });
    broker = await startBroker({ config: { policy: { engine: 'authzen', url, timeoutMs: 10_000 } } });
    soc = await broker.identity('soc');
  });

  const release = (): void => {
    isHeld = () => false;
    for (const [{ subject }, response] of held) json(response, { decision: subject.id !== 'lab:stranger' });
  };

  const entries = Array.from({ length: ENTRIES }, (_, n) => ({
    subject: { type: 'workload', id: `lab:a-${n}` },
    action: { name: 'read' },
    resource: { type: TICKETS, id: `incident/${n}` },
  }));
  const evaluate = async (sub: string, calls: number) => {
    const identity = await broker.identity(sub);
    return Array.from({ length: calls }, () =>
      broker.post('/access/v1/evaluations', { evaluations: entries }, identity),
    );
  };
  const decisionsIn = (body: unknown) =>
    (body as { evaluations: { decision: boolean }[] }).evaluations.map(({ decision }) => decision);

  const revoke = (value: string, identity: string) =>
    broker.post('/revocations', { selector: { kind: 'workload', value }, reason: 'theft', unseen: true }, identity);

  it('eight hundred questions of whoever may ask none become one a call, and revocations go on', async () => {
    isHeld = ({ action }) => action.name !== 'revoke';
    const flood = await evaluate('stranger', 8);
    await until(() => held.length === 8, 'the calls do not arrive');
    expect((await revoke('lab:thief', soc)).status).toBe(200);
    release();
    for (const { status, body } of await Promise.all(flood))
      expect([status, decisionsIn(body)]).toEqual([200, Array(ENTRIES).fill(false)]);
    expect(held.map(([{ action }]) => action.name)).toEqual(Array(8).fill('evaluate'));
  });

  it('an API that may ask has eight questions of a call under way, and gets all its answers', async () => {
    isHeld = ({ resource }) => resource.type === 'resource';
    const flood = await evaluate('tickets-api', 4);
    await until(() => held.length === 4 * 8, 'the questions do not arrive');
    expect((await revoke('lab:thief', soc)).status).toBe(200);
    release();
    for (const { status, body } of await Promise.all(flood))
      expect([status, decisionsIn(body)]).toEqual([200, Array(ENTRIES).fill(true)]);
    expect(held).toHaveLength(4 * 8);
  });

  it('whoever asks to revoke without end and without any right has a part of the way, and others revoke', async () => {
    isHeld = ({ subject }) => subject.id === 'lab:stranger';
    const stranger = await broker.identity('stranger');
    const flood = Array.from({ length: 40 }, (_, n) => revoke(`lab:honest-${n}`, stranger));
    await until(() => held.length === 8, 'the questions do not arrive');
    expect((await revoke('lab:thief', soc)).status).toBe(200);
    const { body } = await broker.post('/tasks', { purpose: 'look' }, await broker.identity('agent-7'));
    const done = await broker.post(
      `/tasks/${(body as { id: string }).id}/complete`,
      { outcome: 'completed' },
      await broker.identity('agent-7'),
    );
    expect(done.status).toBe(200);
    release();
    const statuses = (await Promise.all(flood)).map(({ status }) => status).sort();
    expect(statuses.map((status) => status === 503)).toEqual(Array.from({ length: 40 }, (_, n) => n >= 32));
  });
});
