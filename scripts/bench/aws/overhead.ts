/** What the broker adds to the round trip to STS: sessions minted through the broker and directly at STS, in turns. */
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { newId } from '../../../src/domain/id.js';
import { sessionPolicy } from '../../../src/minters/aws/session-policy.js';
import { AUDIENCE, LAB, type Broker } from '../broker.js';
import { cpuMicroseconds } from '../child.js';
import { many, type Signer } from '../issuer.js';
import { drive, type Load } from '../load.js';
import { median, quantile } from '../numbers.js';
import { AWS_AUDIENCE, DIRECT_ROLE, ROLE, TENANT_42, type Aws } from './account.js';

export interface OverheadWish {
  rounds: number;
  requests: number;
  inFlight: number;
}

export interface Overhead extends OverheadWish {
  /** Medians over the rounds. */
  direct: Measured;
  broker: Measured & { cpuMicroseconds: number };
  /** The median of the differences between the two p50, one per round. Milliseconds. */
  added: number[];
}

interface Measured {
  perSecond: number;
  p50: number;
  p99: number;
}

const LIFETIME_SECONDS = 900;
const WORKLOADS = 20;

export async function measureOverhead(
  { aws, broker, lab }: { aws: Aws; broker: Broker; lab: Signer },
  wish: OverheadWish,
): Promise<Overhead> {
  const { rounds, requests, inFlight } = wish;
  const sts = new STSClient({ endpoint: aws.url, region: 'eu-central-1', maxAttempts: 1 });
  const turns: { direct: Measured; broker: Measured; cpuMicroseconds: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const direct = await directly(sts, lab, requests, inFlight);
    const load = await throughBroker(broker, lab, requests, inFlight);
    const cpu = cpuMicroseconds(broker.pid);
    const driven = measured(await drive(load));
    turns.push({ direct, broker: driven, cpuMicroseconds: (cpuMicroseconds(broker.pid) - cpu) / requests });
    process.stderr.write('.');
  }
  sts.destroy();
  const medians = (of: (turn: (typeof turns)[number]) => Measured): Measured => ({
    perSecond: median(turns.map((turn) => of(turn).perSecond)),
    p50: median(turns.map((turn) => of(turn).p50)),
    p99: median(turns.map((turn) => of(turn).p99)),
  });
  return {
    ...wish,
    direct: medians(({ direct }) => direct),
    broker: {
      ...medians((turn) => turn.broker),
      cpuMicroseconds: median(turns.map((turn) => turn.cpuMicroseconds)),
    },
    added: turns.map((turn) => turn.broker.p50 - turn.direct.p50),
  };
}

/** Requests a session as the broker does: same SDK, policy and tags, with a token made beforehand. */
async function directly(sts: STSClient, lab: Signer, count: number, inFlight: number): Promise<Measured> {
  const ids = Array.from({ length: count }, () => newId('crd').slice(4));
  const tokens = await lab.tokens(count, (index) => webIdentity(ids[index] ?? ''));
  const Policy = sessionPolicy(
    [{ path: TENANT_42.replace('/*', '/**'), actions: ['s3:GetObject'] }],
    Date.now() + LIFETIME_SECONDS * 1_000,
  );
  const latencies: number[] = [];
  const from = performance.now();
  await many(
    count,
    async (index) => {
      const sentAt = performance.now();
      const { Credentials } = await sts.send(
        new AssumeRoleWithWebIdentityCommand({
          ...{ RoleArn: DIRECT_ROLE, RoleSessionName: ids[index], DurationSeconds: LIFETIME_SECONDS },
          ...{ WebIdentityToken: tokens[index], Policy },
        }),
      );
      if (!Credentials?.SessionToken) throw new Error('STS gave no session');
      latencies.push(performance.now() - sentAt);
    },
    inFlight,
  );
  return measured({ seconds: (performance.now() - from) / 1_000, latencies: latencies.sort((a, b) => a - b) });
}

const webIdentity = (id: string) => ({
  ...{ iss: LAB, sub: 'wl:bench', aud: AWS_AUDIENCE, jti: id },
  'https://aws.amazon.com/tags': {
    principal_tags: { jc: [id], jt: [id], jw: [`${id}@0`] },
    transitive_tag_keys: ['jc', 'jt', 'jw'],
  },
  'https://aws.amazon.com/source_identity': id,
});

const measured = ({ seconds, latencies }: { seconds: number; latencies: number[] }): Measured => ({
  perSecond: latencies.length / seconds,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99),
});

/** A task of its own for each request, and twenty identity tokens that are used again and again. */
export async function throughBroker({ url }: Broker, lab: Signer, count: number, connections: number): Promise<Load> {
  const agent = (index: number) => ({ iss: LAB, sub: `agent-${index}`, aud: AUDIENCE, team: 'sre' });
  const tokens = await lab.tokens(WORKLOADS, agent);
  const detail = { type: 'aws_session', locations: [ROLE], identifier: TENANT_42, actions: ['s3:GetObject'] };
  const body = (index: number) =>
    new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_token: tokens[index % WORKLOADS] ?? '',
      resource: ROLE,
      authorization_details: JSON.stringify([detail]),
      purpose: 'summarise',
      lifetime: String(LIFETIME_SECONDS),
    }).toString();
  return { url: `${url}/token`, bodies: Array.from({ length: count }, (_, i) => body(i)), expect: 'ASIA', connections };
}
