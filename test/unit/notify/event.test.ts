/** The events that webhooks get: CloudEvents with an OCSF body of ids and names, and never free text or a secret. */
import { describe, expect, it } from '@jest/globals';
import { parseEntry, type AuditEntry, type AuditEvent } from '../../../src/audit/event.js';
import { entryText, extendChain, GENESIS, hashOf } from '../../../src/audit/chain.js';
import { cloudEvent } from '../../../src/notify/event.js';

const ISSUER = 'https://mayfly.example';
const AT = Date.UTC(2030, 0, 1, 12);

/** Renders an event from its line, as the chain writes that. */
function rendered(event: Partial<AuditEvent> & Pick<AuditEvent, 'type'>) {
  const [line = ''] = extendChain({ ...GENESIS, seq: 41 }, [entryText({ at: AT, node: 'n1', ...event })]).lines;
  return { line, event: cloudEvent(parseEntry(line), line, ISSUER) };
}

const HOLD: Partial<AuditEvent> & Pick<AuditEvent, 'type'> = {
  type: 'revocation.published',
  actor: { id: 'lab:soc' },
  reason: 'Alice Example lost her laptop',
  revocation: { id: 'rev_x', seq: 12, effect: 'hold', selector: { kind: 'workload', value: 'lab:agent-7' }, at: AT },
};

const SIGNAL: NonNullable<AuditEvent['signal']> = {
  id: 'sig_x',
  source: 'idp',
  event: 'risk-level-change',
  level: 'HIGH',
  about: [{ kind: 'workload', value: 'lab:agent-7' }],
  state: 'reacted',
  reaction: {
    rule: 'risky',
    do: 'hold',
    selector: { kind: 'workload', value: 'lab:agent-7' },
    tasks: 3,
    seq: 12,
  },
};

describe('a revocation', () => {
  it('is a CloudEvent whose id is the number of its audit entry and the beginning of its hash', () => {
    const { event, line } = rendered(HOLD);
    const { data, ...envelope } = event;
    expect(envelope).toEqual({
      specversion: '1.0',
      id: `42.${hashOf(line).slice(0, 16)}`,
      source: ISSUER,
      type: 'mayfly.revocation.published',
      subject: 'workload:lab:agent-7',
      time: '2030-01-01T12:00:00.000Z',
      datacontenttype: 'application/json',
      dataschema: 'https://schema.ocsf.io/1.3.0/classes/api_activity',
    });
    expect(data).toEqual({
      category_uid: 6,
      class_uid: 6003,
      activity_id: 4,
      type_uid: 600304,
      time: AT,
      message: 'hold of workload lab:agent-7 (revocation 12)',
      metadata: {
        version: '1.3.0',
        product: { name: 'Mayfly', vendor_name: 'Mayfly' },
        uid: envelope.id,
        sequence: 42,
        log_name: 'audit',
        event_code: 'revocation.published',
        correlation_uid: 'rev_x',
      },
      severity_id: 3,
      status_id: 1,
      actor: { user: { uid: 'lab:soc' } },
      api: { operation: 'revocation.published', service: { name: 'mayfly' } },
      src_endpoint: { svc_name: 'mayfly', name: 'n1' },
      resources: [{ type: 'workload', uid: 'lab:agent-7' }],
      unmapped: { revocation: HOLD.revocation },
    });
  });

  it('has of a decision who decided, and not what policy was told', () => {
    const decision = { id: 'dec_x', outcome: 'permit' as const, policies: ['p'], digest: 'd' };
    const person = { kind: 'person' as const, id: 'staff:ann', issuer: 'staff', groups: ['oncall'] };
    const { event } = rendered({ type: 'task.opened', decision: { ...decision, facts: { principal: person } } });
    expect(event.data).toMatchObject({ unmapped: { decision } });
    expect(JSON.stringify(event)).not.toContain('oncall');
  });

  it.each([
    ['everybody', { kind: 'all', value: '' }, 'end', undefined, 5],
    ['an issuer', { kind: 'issuer', value: 'lab' }, 'hold', undefined, 4],
    ['a task, by somebody', { kind: 'task', value: 'tsk_x' }, 'end', 'revoked', 2],
    ['a task that is done', { kind: 'task', value: 'tsk_x' }, 'end', 'completed', 1],
  ] as const)('of %s is as severe as it is wide', (_, selector, effect, outcome, severity) => {
    const revocation = { id: 'rev_x', seq: 12, effect, selector };
    const { event } = rendered({ type: 'revocation.published', revocation, ...(outcome && { outcome }) });
    expect(event.data).toMatchObject({ activity_id: 4, severity_id: severity });
  });

  it('that lifts a hold is an update, and names the hold', () => {
    const revocation = {
      id: 'rev_y',
      seq: 13,
      effect: 'lift',
      selector: { kind: 'workload', value: 'x' },
      lifts: 12,
    } as const;
    const { event } = rendered({ type: 'revocation.published', revocation });
    expect(event.data).toMatchObject({
      activity_id: 3,
      type_uid: 600303,
      message: 'hold 12 lifted, of workload x (revocation 13)',
    });
  });
});

describe('a signal', () => {
  it('is a detection finding with what was done about it', () => {
    const { event } = rendered({ type: 'signal.evaluated', signal: SIGNAL, reason: 'typed by a person' });
    expect(event).toMatchObject({
      type: 'mayfly.signal.evaluated',
      subject: 'workload:lab:agent-7',
      dataschema: 'https://schema.ocsf.io/1.3.0/classes/detection_finding',
    });
    expect(event.data).toEqual({
      category_uid: 2,
      class_uid: 2004,
      activity_id: 1,
      type_uid: 200401,
      time: AT,
      message:
        'risk-level-change HIGH from idp about workload lab:agent-7: reacted by risky (hold of workload lab:agent-7, tasks: 3, revocation 12)',
      metadata: expect.objectContaining({ event_code: 'signal.evaluated', correlation_uid: 'sig_x' }),
      severity_id: 4,
      status_id: 4,
      finding_info: {
        uid: 'sig_x',
        title: 'risk-level-change from idp',
        types: ['risk-level-change'],
        modified_time: AT,
        analytic: { type_id: 1, type: 'Rule', name: 'risky' },
      },
      resources: [{ type: 'workload', uid: 'lab:agent-7' }],
      unmapped: { state: 'reacted', source: 'idp', reaction: SIGNAL.reaction },
    });
  });

  it('that somebody dismissed is closed and suppressed, and says by whom', () => {
    const signal = { ...SIGNAL, state: 'dismissed' } as const;
    const { event } = rendered({ type: 'signal.decided', actor: { id: 'lab:soc' }, signal });
    expect(event.data).toMatchObject({
      activity_id: 3,
      type_uid: 200403,
      status_id: 3,
      unmapped: { decided_by: 'lab:soc' },
    });
  });
});

describe('any other entry', () => {
  it('is an API activity with its ids and digests', () => {
    const { event } = rendered({
      type: 'credential.refused',
      actor: { id: 'lab:agent-7', kind: 'workload', issuer: 'lab' },
      target: 'https://tickets.example',
      proofHash: 'digest',
      error: 'access_denied',
      reason: 'No policy permits it.',
      requestId: 'req_1',
    });
    expect(event).toMatchObject({ type: 'mayfly.credential.refused', subject: 'target:https://tickets.example' });
    expect(event.data).toMatchObject({
      class_uid: 6003,
      type_uid: 600301,
      severity_id: 2,
      status_id: 2,
      status_code: 'access_denied',
      actor: { user: { uid: 'lab:agent-7', domain: 'lab' } },
      metadata: { correlation_uid: 'req_1' },
      unmapped: { proofHash: 'digest' },
    });
  });

  it('of a type that only a newer version knows is sent all the same', () => {
    const line = `{"seq":1,"prev":"","type":"moon.landed","at":${AT},"rocket":{"crew":3}}`;
    const { data } = cloudEvent(parseEntry(line), line, ISSUER);
    expect(data).toMatchObject({ activity_id: 99, activity_name: 'moon.landed', actor: { app_name: 'mayfly' } });
  });
});

it('an event carries no free text, whoever wrote it', () => {
  const texts = { reason: 'zebra', purpose: 'zebra', ticket: 'zebra' };
  for (const event of [HOLD, { type: 'signal.evaluated', signal: SIGNAL } as const, { type: 'task.opened' } as const]) {
    expect(JSON.stringify(rendered({ ...event, ...texts }).event)).not.toContain('zebra');
  }
});

it('an entry becomes the same event however often it is made', () => {
  const { line, event } = rendered(HOLD);
  expect(cloudEvent(parseEntry(line), line, ISSUER)).toEqual(event);
  const other = line.replace('lab:soc', 'lab:sox');
  expect(cloudEvent(JSON.parse(other) as AuditEntry, other, ISSUER).id).not.toBe(event.id);
});
