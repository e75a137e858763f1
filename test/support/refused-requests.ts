/** Every request behind each operator verb. A verb that is new does not compile before its requests are here. */
import type { OperatorVerb } from '../../src/policy/query.js';
import type { TestBroker } from './brokers/http.js';

interface Caller {
  broker: TestBroker;
  token: string;
  /** A task that exists, and of which the caller may do nothing. */
  task: string;
}

/** @param bad Adds a parameter that nothing knows. */
export type Send = (caller: Caller, headers: Record<string, string>, bad: boolean) => Promise<{ status: number }>;

const get =
  (path: string | ((task: string) => string)): Send =>
  ({ broker, token, task }, headers, bad) => {
    const asked = typeof path === 'string' ? path : path(task);
    const more = asked.includes('?') ? '&unknown=1' : '?unknown=1';
    return broker.get(`${asked}${bad ? more : ''}`, token, headers);
  };
const post =
  (path: string | ((task: string) => string), body: object): Send =>
  ({ broker, token, task }, headers, bad) =>
    broker.post(typeof path === 'string' ? path : path(task), bad ? { ...body, unknown: 1 } : body, token, headers);
const remove =
  (path: string): Send =>
  ({ broker, token }, headers, bad) =>
    broker.send(`${path}${bad ? '?unknown=1' : ''}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
const onTask = (verb: string) => (task: string) => `/tasks/${task}/${verb}`;
const revocation = { selector: { kind: 'all' }, reason: 'x' };
const signal = { id: '1', event: 'session-revoked', subject: { format: 'opaque', id: 'x' } };

const REQUESTS: Record<OperatorVerb, Record<string, Send>> = {
  openTask: { open: post('/tasks', { workload: 'lab:agent-9', purpose: 'x' }) },
  readTask: { read: get((task) => `/tasks/${task}`) },
  completeTask: { complete: post(onTask('complete'), { outcome: 'completed' }) },
  completeRun: { 'complete a run': post('/runs/complete', { issuer: 'lab', run: 'x' }) },
  suspendTask: { suspend: post(onTask('suspend'), {}) },
  resumeTask: { resume: post(onTask('resume'), {}) },
  heartbeat: { heartbeat: post(onTask('heartbeat'), {}) },
  revoke: {
    revoke: post('/revocations', revocation),
    preview: post('/revocations', { ...revocation, dryRun: true }),
    lift: remove('/revocations/1'),
    confirm: post('/signals/sig_aabbbbbbbbbbbbbb/confirm', {}),
    mute: post('/signals/mutes', { source: 'detector' }),
    unmute: remove('/signals/mutes/detector'),
    dismiss: post('/signals/sig_aabbbbbbbbbbbbbb/dismiss', {}),
  },
  readRevocations: {
    'list revocations': get('/revocations'),
    'lift all of a reaction': post('/revocations/lift', { reaction: 'x' }),
    'dismiss all of a source': post('/signals/dismiss', { source: 'x' }),
    'list mutes': get('/signals/mutes'),
    'show a revocation': get('/revocations/1'),
    'list signals': get('/signals'),
    'list pending signals': get('/signals/pending'),
    'show a signal': get('/signals/sig_aabbbbbbbbbbbbbb'),
    'show a risk': get('/workloads/lab:agent-7/risk'),
  },
  readCredential: { 'show a credential': get('/credentials/crd_aabbbbbbbbbbbbbb') },
  readAudit: {
    'read the audit log': get('/audit'),
    'fetch its head': get('/audit/head'),
    'read a timeline': get((task) => `/timeline?task=${task}`),
    'read the notifications': get('/notifications'),
  },
  sendSignal: { 'send a signal': post('/signals/json', signal) },
  followFeed: {
    'follow the feed': get('/revocations/feed'),
    acknowledge: post('/revocations/feed/ack', { generation: '1_x', applied: [{ seq: 1 }] }),
  },
  reportUsage: {
    'report use': post('/usage', {
      target: 'https://tickets.example',
      uses: [{ credential: 'crd_aabbbbbbbbbbbbbb', permitted: true }],
    }),
  },
  // Whoever may not is answered all the same: dead, no, or without what it said.
  introspect: {},
  evaluate: {},
  assertProperties: {},
  approve: {
    'show an approval': get('/approvals/apr_aabbbbbbbbbbbbbb'),
    'answer an approval': post('/approvals/apr_aabbbbbbbbbbbbbb/decision', { decision: 'approve', digest: 'x' }),
    'review an emergency': post('/approvals/apr_aabbbbbbbbbbbbbb/review', { note: 'x' }),
  },
  // An emergency is declared where others answer.
  breakGlass: {},
};

export const requests = Object.entries(REQUESTS).flatMap(([verb, sends]) =>
  Object.entries(sends).map(([name, send]): [string, string, Send] => [verb, name, send]),
);
