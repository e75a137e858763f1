/** The contenders: the server, its requests, and the answer each request must have. */
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

const WORKLOADS = 20;
const PURPOSES = ['summarise', 'triage', 'review', 'answer'];
const GRANTED = '"access_token":"eyJ';

const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();

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
const agent = (index: number) => identity(`agent-${index % WORKLOADS}`);

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

/** Introspection of live tokens by the API that they are for. */
export const introspection = (name: string, broker: Broker, lab: Signer): Contender => ({
  name,
  pid: broker.pid,
  async prepare(count) {
    const exchanges = await sameToken('', broker, lab).prepare(Math.min(count, LIVE_TOKENS));
    const live = (await drive(exchanges)).answers.map(accessToken);
    const [caller = ''] = await lab.tokens(1, () => identity('tickets-api'));
    return {
      url: `${broker.url}/introspect`,
      headers: { Authorization: `Bearer ${caller}` },
      bodies: Array.from({ length: count }, (_, index) => form({ token: live[index % live.length] ?? '' })),
      expect: '"active":true',
      connections: 32,
    };
  },
});

const LIVE_TOKENS = 1_000;

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
