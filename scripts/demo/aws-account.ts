/** The AWS account of the story: a loopback server that plays STS, IAM and S3, and has one role for agents. */
import { agentArn, agentRole, revokerArn, revokerRole } from '../../fakes/aws/example-roles.js';
import { startLoopbackAws } from '../../fakes/aws/server.js';
import { call, type Reply } from './http.js';

export interface AwsAccount {
  url: string;
  /** S3 GetObject with the keys of a session. */
  read(keys: { AccessKeyId: string; SessionToken: string }, object: string): Promise<Reply>;
  /** When AWS itself lets the session expire. Milliseconds. */
  expiryOf(accessKeyId: string): number;
  /** The text of `JitRevocations`, by which the role denies sessions. */
  denyPolicy(): string;
  close(): Promise<void>;
}

const ACCOUNT = '111122223333';
const AUDIENCE = 'sts.amazonaws.com';
/** As observed at IAM: three to four seconds until a write is in force everywhere. */
const PROPAGATION_MS = 4_000;

export const ROLE = agentArn(ACCOUNT);
const BUCKET = 'arn:aws:s3:::customer-data';
export const TENANT_42 = `${BUCKET}/tenant-42/*`;

export const READS_TENANT_42 = `
@id("sre-agents-read-tenant-42")
permit (
  principal in Owner::"sre",
  action == Action::"s3:GetObject",
  resource in Resource::"${ROLE}#${BUCKET}/tenant-42"
);
`;

/** The AWS section of a broker's configuration, with the endpoints of this account in place of AWS's own. */
export const awsTarget = (url: string) => ({
  resource: ROLE,
  minter: 'aws-sts',
  aws: { region: 'eu-central-1', revokerRole: revokerArn(ACCOUNT), stsEndpoint: url, iamEndpoint: url },
});

/** @param issuer The broker, whose keys the account fetches there. */
export async function openAwsAccount(issuer: string): Promise<AwsAccount> {
  const wish = { account: ACCOUNT, issuerName: issuer.replace('http://', ''), audience: AUDIENCE };
  const aws = await startLoopbackAws({
    account: ACCOUNT,
    roles: [agentRole(wish), revokerRole(wish)],
    providers: [{ issuer, clientIds: [AUDIENCE] }],
    propagationMs: PROPAGATION_MS,
    now: () => Date.now(),
  });
  return {
    url: aws.url,
    read: ({ AccessKeyId, SessionToken }, object) =>
      call(`${aws.url}/s3/customer-data/${object}`, {
        headers: { 'x-access-key-id': AccessKeyId, 'x-security-token': SessionToken },
      }),
    expiryOf: (accessKeyId) => aws.sessions().find(({ id }) => id === accessKeyId)?.expiresAt ?? NaN,
    denyPolicy: () => JSON.stringify(aws.policyOf(ROLE)['JitRevocations'] ?? ''),
    close: () => aws.close(),
  };
}
