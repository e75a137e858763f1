/** What others get while somebody sends the dearest kind of request at a steady rate. */
import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { AUDIENCE, LAB, type Broker } from '../broker.js';
import type { Signer } from '../issuer.js';
import { post } from '../load.js';
import type { Kind, Request } from './requests.js';

export interface Flooded {
  kind: Kind;
  perSecond: number;
  /** Milliseconds until each was answered, ascending; Infinity for what was refused or failed. */
  revocations: number[];
  exchanges: number[];
}

export interface FloodWish {
  seconds: number;
  /** Requests of the flood, revocations and exchanges in a second. */
  perSecond: number;
}

const OTHERS_PER_SECOND = 20;
const CONNECTIONS = 64;
/** The load is given up after this, so that a broker that does not answer ends the measurement all the same. */
const ANSWERED_WITHIN_MS = 10_000;

export async function flood(
  { url }: Broker,
  lab: Signer,
  kind: Kind,
  { seconds, perSecond }: FloodWish,
): Promise<Flooded> {
  const [soc = '', honest = ''] = await lab.tokens(2, (index) => ({
    ...{ iss: LAB, aud: AUDIENCE, team: 'sre', sub: index === 0 ? 'soc' : 'agent-honest' },
  }));
  const others = seconds * OTHERS_PER_SECOND;
  const [, revocations, exchanges] = await Promise.all([
    steadily(url, seconds * perSecond, perSecond, (index) => kind.request(index)),
    steadily(url, others, OTHERS_PER_SECOND, (index) => revocation(soc, index)),
    steadily(url, others, OTHERS_PER_SECOND, (index) => exchange(honest, index)),
  ]);
  const ascending = (answers: Answer[]) =>
    answers.map(({ status, ms }) => (status === 200 ? ms : Infinity)).sort((a, b) => a - b);
  return { kind, perSecond, revocations: ascending(revocations), exchanges: ascending(exchanges) };
}

interface Answer {
  status: number;
  ms: number;
}

/** Sends each request when it is due, whether those before are answered or not. The time counts from when it was due. */
async function steadily(
  url: string,
  count: number,
  perSecond: number,
  requestAt: (index: number) => Request,
): Promise<Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const from = performance.now();
  const answers = Array.from({ length: count }, async (_, index) => {
    const due = from + (index * 1_000) / perSecond;
    await pause(due - performance.now());
    const { path, headers, body } = requestAt(index);
    const answered = post(`${url}${path}`, { agent, headers, body }).then(({ status = 0 }) => status);
    const status = await Promise.race([answered, pause(ANSWERED_WITHIN_MS, 0)]).catch(() => 0);
    return { status, ms: performance.now() - due };
  });
  const all = await Promise.all(answers);
  agent.destroy();
  return all;
}

const revocation = (soc: string, index: number): Request => ({
  path: '/revocations',
  headers: { Authorization: `Bearer ${soc}`, 'Content-Type': 'application/json' },
  body: JSON.stringify({
    selector: { kind: 'workload', value: `lab:ended-${index}` },
    effect: 'cutoff',
    reason: 'benchmark',
    unseen: true, // Nobody of this name was ever here. Without it the broker refuses to revoke what may be a misspelling.
  }),
});

const exchange = (token: string, index: number): Request => ({
  path: '/token',
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    subject_token: token,
    resource: 'https://tickets.example',
    scope: `incident/${index}:read`,
    purpose: 'summarise',
  }).toString(),
});
