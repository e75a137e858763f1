/** The contenders: the server, its requests, and the answer each request must have. */
import { decodeJwt } from 'jose';
import { AUDIENCE, LAB, TARGET, type Broker } from './broker.js';
import type { Signer } from './issuer.js';
import { drive, type Load } from './load.js';
import { PEER_CLIENT, type Peer } from './peer.js';

export interface Contender {
  name: string;
  pid: number;
  /** Prepares what must not be measured: signatures, tokens and records that the requests need. */
  prepare(count: number): Promise<Load>;
}

export const WORKLOADS = 20;
const PURPOSES = ['summarise', 'triage', 'review', 'answer'];
export const GRANTED = '"access_token":"eyJ';

export const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();

/** A task of its own for each request, each about an incident of its own. */
const exchange = (subjectToken: string, index: number): string =>
  form({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    subject_token: subjectToken,
    resource: TARGET,
    scope: `incident/${4711 + index}:read`,
    purpose: PURPOSES[index % PURPOSES.length] ?? '',
  });

const identity = (sub: string, team = 'sre') => ({ iss: LAB, sub, aud: AUDIENCE, team });
export const agent = (index: number) => identity(`agent-${index % WORKLOADS}`);

export function sameToken(name: string, { url, pid }: Broker, lab: Signer): Contender {
  const stored = lab.tokens(WORKLOADS, agent);
  return {
    name,
    pid,
    async prepare(count) {
      const tokens = await stored;
      const bodies = Array.from({ length: count }, (_, index) => exchange(tokens[index % WORKLOADS] ?? '', index));
      return { url: `${url}/token`, bodies, expect: GRANTED };
    },
  };
}

export const newTokens = (name: string, { url, pid }: Broker, lab: Signer): Contender => ({
  name,
  pid,
  async prepare(count) {
    const tokens = await lab.tokens(count, agent);
    return { url: `${url}/token`, bodies: tokens.map(exchange), expect: GRANTED };
  },
});

/** Questions about live tokens, by the API that they are for. */
const asking =
  (path: string, load: Pick<Load, 'expect' | 'headers'>, bodyOf: (token: string) => string) =>
  (name: string, broker: Broker, lab: Signer, tokens = liveTokens): Contender => ({
    name,
    pid: broker.pid,
    async prepare(count) {
      const live = await tokens(broker, lab, Math.min(count, LIVE_TOKENS));
      const [caller = ''] = await lab.tokens(1, () => identity('tickets-api'));
      return {
        url: `${broker.url}${path}`,
        headers: { Authorization: `Bearer ${caller}`, ...load.headers },
        bodies: Array.from({ length: count }, (_, index) => bodyOf(live[index % live.length] ?? '')),
        expect: load.expect,
        connections: 32,
      };
    },
  });

const LIVE_TOKENS = 1_000;

export async function liveTokens(broker: Broker, lab: Signer, count: number): Promise<string[]> {
  return (await drive(await sameToken('', broker, lab).prepare(count))).answers.map(accessToken);
}

export const introspection = asking('/introspect', { expect: '"active":true' }, (token) => form({ token }));

/** Returns the path that the credential was granted. */
export const pathIn = (token: string): string =>
  decodeJwt<{ authorization_details: { identifier: string }[] }>(token).authorization_details[0]?.identifier ?? '';

/** AuthZEN, asked whether the holder may do what it was granted. */
export const evaluation = asking(
  '/access/v1/evaluation',
  { expect: '"decision":true', headers: { 'Content-Type': 'application/json' } },
  (token) =>
    JSON.stringify({
      subject: { type: 'credential', id: token },
      action: { name: 'read' },
      resource: { type: TARGET, id: pathIn(token) },
    }),
);

export function accessToken(answer: string): string {
  const parsed: unknown = JSON.parse(answer);
  const token = typeof parsed === 'object' && parsed && 'access_token' in parsed ? parsed.access_token : undefined;
  if (typeof token !== 'string') throw new Error('an answer without a token');
  return token;
}

/** Client credentials; the assertion takes the place of the identity token, and can be used once only. */
export const peer = (name: string, { url, pid }: Peer, client: Signer): Contender => ({
  name,
  pid,
  async prepare(count) {
    const assertions = await client.tokens(count, () => ({ iss: PEER_CLIENT, sub: PEER_CLIENT, aud: url }));
    const bodies = assertions.map((assertion) =>
      form({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
        resource: TARGET,
        scope: 'read',
      }),
    );
    return { url: `${url}/token`, bodies, expect: GRANTED };
  },
});
