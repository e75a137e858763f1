/** A client of the benchmark's AWS account, which runs in a process of its own. */
import { agentArn, revokerArn } from '../../../fakes/aws/example-roles.js';
import { startChild, type Child } from '../child.js';
import { freePort } from '../../free-port.js';
import type { Signer } from '../issuer.js';
import { fromRoot } from '../root.js';

export const ACCOUNT = '111122223333';
export const AWS_AUDIENCE = 'sts.amazonaws.com';
export const ROLE = agentArn(ACCOUNT);
/** A role that trusts the lab itself, so that a session of it needs no broker. */
export const DIRECT_ROLE_NAME = 'agent-1';
export const DIRECT_ROLE = agentArn(ACCOUNT, DIRECT_ROLE_NAME);
export const TENANT_42 = 'arn:aws:s3:::customer-data/tenant-42/*';

export interface AwsSettings {
  port: number;
  toldPort: number;
  brokerUrl: string;
  labJwk: Signer['publicJwk'];
}

/** A PutRolePolicy or DeleteRolePolicy on the role. */
export interface Write {
  /** Milliseconds since the epoch. */
  at: number;
  characters: number;
}

export interface Aws extends Child {
  url: string;
  writes(): Promise<Write[]>;
}

export async function startAws(brokerUrl: string, lab: Signer): Promise<Aws> {
  const [port, toldPort] = [await freePort(), await freePort()];
  const settings: AwsSettings = { port, toldPort, brokerUrl, labJwk: lab.publicJwk };
  const writes = async () => (await (await fetch(`http://127.0.0.1:${toldPort}`)).json()) as Write[];
  const child = await startChild(process.execPath, [fromRoot('dist/scripts/bench/aws/server.js')], {
    env: { BENCH_AWS: JSON.stringify(settings) },
    isReady: async () => (await writes()).length === 0,
  });
  return { ...child, url: `http://127.0.0.1:${port}`, writes };
}

/** The AWS section of a broker's configuration. */
export const awsTarget = ({ url }: Pick<Aws, 'url'>) => ({
  resource: ROLE,
  minter: 'aws-sts',
  aws: {
    ...{ region: 'eu-central-1', revokerRole: revokerArn(ACCOUNT), mintsPerSecond: 1_000 },
    ...{ stsEndpoint: url, iamEndpoint: url },
  },
});

export const READS_TENANT_42 = `
@id("sre-agents-read-tenant-42")
permit (
  principal in Owner::"sre",
  action == Action::"s3:GetObject",
  resource in Resource::"${ROLE}#arn:aws:s3:::customer-data/tenant-42"
);
`;
