/** A broker in this process whose targets are roles of an AWS account on the loopback interface, both by one hand-turned clock. */
import { afterAll } from '@jest/globals';
import { agentArn, agentRole, revokerArn, revokerRole } from '../../../fakes/aws/example-roles.js';
import type { RoleOptions } from '../../../fakes/aws/options.js';
import { startLoopbackAws, type LoopbackAws } from '../../../fakes/aws/server.js';
import { startBroker, type BrokerWish, type TestBroker } from './http.js';
import type { Reply } from '../calls.js';
import { handClock } from '../clock.js';

export const ACCOUNT = '111122223333';
export const ROLE = agentArn(ACCOUNT);
export const OTHER_ROLE = agentArn(ACCOUNT, 'agent-1');
export const BUCKET = 'arn:aws:s3:::customer-data';

/** What AWS knows the broker by; the loopback account fetches the keys where the broker really is. */
export const EXAMPLE = { account: ACCOUNT, issuerName: 'mayfly.example', audience: 'sts.amazonaws.com' };
const ISSUER = `https://${EXAMPLE.issuerName}`;

/** Nothing is minted for a role until its policy denies everything older, and that moment has passed. */
export const FENCED_MS = 12_000;

export interface AwsBroker extends TestBroker {
  aws: LoopbackAws;
  /** As `lab:<sub>`, by RAR; `wish` replaces parameters of the form. */
  session(sub: string, wish?: Record<string, string | undefined>): Promise<Reply>;
  /** Granted, or it throws: the keys, and the ids that the ledger knows them by. */
  mint(sub: string, wish?: Record<string, string | undefined>): Promise<Minted>;
  /** A task of `lab:<sub>`, opened by the orchestrator: its id. */
  open(sub: string, wish?: Record<string, unknown>): Promise<string>;
  complete(taskId: string): Promise<Reply>;
  /** The latest entry of the audit log of this type. */
  audited(type: string): Promise<Record<string, unknown> | undefined>;
  /** Turns the clock in steps of a second, doing each second what the schedule would. */
  pass(seconds: number): Promise<void>;
  /** Whether this session could read an object now. */
  reads(accessKeyId: string, key?: string): boolean;
}

export interface Minted {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: number;
  taskId: string;
  /** Of the credential: `crd_…`. */
  id: string;
}

/** Its policies stand beside those that permit what `session` asks. */
export interface AwsWish extends Omit<BrokerWish, 'config'> {
  aws?: Record<string, unknown>;
  labels?: object[];
  roles?: RoleOptions[];
  propagationMs?: number;
  /** How far AWS's clock is ahead of the broker's. */
  aheadMs?: () => number;
  config?: Record<string, unknown>;
  /** Leaves the first cutoff of the roles to the test. */
  unfenced?: boolean;
}

export async function startAwsBroker(wish: AwsWish = {}): Promise<AwsBroker> {
  const clock = wish.clock ?? handClock(wish.redisUrl === undefined ? undefined : Date.now());
  let jwks: () => Promise<Reply> = () => Promise.reject(new Error('no broker yet'));
  const aws = await startLoopbackAws({
    account: ACCOUNT,
    roles: wish.roles ?? [agentRole(EXAMPLE), agentRole(EXAMPLE, 'agent-1'), revokerRole(EXAMPLE)],
    providers: [
      {
        issuer: ISSUER,
        clientIds: [EXAMPLE.audience],
        jwks: async () => (await jwks()).body as { keys: [] },
      },
    ],
    propagationMs: wish.propagationMs ?? 4_000,
    now: () => clock.now() + (wish.aheadMs?.() ?? 0),
  });
  closing.push(() => aws.close());
  const settings = {
    ...{ region: 'eu-central-1', issuer: ISSUER, revokerRole: revokerArn(ACCOUNT) },
    ...{ stsEndpoint: aws.url, iamEndpoint: aws.url },
    ...wish.aws,
  };
  const { labels = [] } = wish;
  const target = (resource: string) => ({ resource, minter: 'aws-sts', aws: settings, labels });
  const broker = await startBroker({
    ...wish,
    clock,
    config: (issuer: string) => ({
      targets: [
        { resource: 'https://tickets.example', minter: 'jwt' },
        { resource: `${issuer}/aws/credentials`, minter: 'jwt' },
        target(ROLE),
        target(OTHER_ROLE),
      ],
      ...wish.config,
    }),
    policies: `${permits()}${wish.policies ?? ''}`,
  });
  jwks = () => broker.get('/jwks');
  const all = withAws(broker, aws);
  if (!wish.unfenced) await all.pass(FENCED_MS / 1000);
  return all;
}

function withAws(broker: TestBroker, aws: LoopbackAws): AwsBroker {
  const session: AwsBroker['session'] = async (sub, form) =>
    broker.exchange(await broker.identity(sub), {
      ...{ resource: ROLE, scope: undefined, purpose: 'read what tenant 42 has', lifetime: '900' },
      authorization_details: details(`${BUCKET}/tenant-42/*`),
      ...form,
    });
  return {
    ...broker,
    aws,
    session,
    async mint(sub, form) {
      const reply = await session(sub, form);
      if (reply.status !== 200) throw new Error(`not granted: ${reply.text}`);
      return mintedOf(reply, aws);
    },
    async open(sub, wishes) {
      const task = { workload: `lab:${sub}`, purpose: 'read what tenant 42 has', ...wishes };
      const opened = await broker.post('/tasks', task, await broker.identity('orchestrator'));
      if (opened.status !== 201) throw new Error(`not opened: ${opened.text}`);
      return (opened.body as { id: string }).id;
    },
    complete: async (taskId) =>
      broker.post(`/tasks/${taskId}/complete`, { outcome: 'completed' }, await broker.identity('orchestrator')),
    async audited(type) {
      const { body } = await broker.get(`/audit?type=${type}&limit=1000`, await broker.identity('soc'));
      const last = (body as { lines: string[] }).lines.at(-1);
      return last === undefined ? undefined : (JSON.parse(last) as Record<string, unknown>);
    },
    async pass(seconds) {
      for (let second = 0; second < seconds; second += 1) {
        await broker.advance(1_000);
        await broker.work('sweep');
        await broker.work('reconcile');
      }
    },
    reads: (accessKeyId, key = 'tenant-42/a.txt') =>
      aws.may(accessKeyId, { action: 's3:GetObject', resource: `${BUCKET}/${key}` }) === 'allow',
  };
}

export const details = (identifier: string, actions: string[] = ['s3:GetObject'], role: string = ROLE): string =>
  JSON.stringify([{ type: 'aws_session', locations: [role], actions, identifier }]);

function mintedOf({ body }: Reply, aws: LoopbackAws): Minted {
  const { access_token: text, task_id: taskId } = body as { access_token: string; task_id: string };
  const keys = JSON.parse(text) as Record<'AccessKeyId' | 'SecretAccessKey' | 'SessionToken' | 'Expiration', string>;
  const born = aws.sessions().find(({ id }) => id === keys.AccessKeyId);
  return {
    accessKeyId: keys.AccessKeyId,
    secretAccessKey: keys.SecretAccessKey,
    sessionToken: keys.SessionToken,
    expiration: Date.parse(keys.Expiration),
    taskId,
    id: `crd_${born?.tags['jc'] ?? ''}`,
  };
}

/** Every workload of the lab may read objects of tenants, and may get the whole role where that can be granted. */
const permits = () => `
@id("lab-reads-tenants")
permit (principal in Issuer::"lab", action in Action::"read", resource in Resource::"${ROLE}#${BUCKET}");
@id("lab-reads-tenants-elsewhere")
permit (principal in Issuer::"lab", action in Action::"read", resource in Resource::"${OTHER_ROLE}#${BUCKET}");
@id("no-secrets")
forbid (principal, action, resource in Resource::"${ROLE}#${BUCKET}/secrets");
@id("ci-has-the-role")
permit (principal == Workload::"lab:ci", action == Action::"aws:assumeRole", resource in Target::"${ROLE}");
@id("ci-has-the-other-role")
permit (principal == Workload::"lab:ci", action == Action::"aws:assumeRole", resource in Target::"${OTHER_ROLE}");
@id("lab-may-ask-at-the-aws-endpoint")
permit (principal in Issuer::"lab", action == Action::"execute", resource);
`;

const closing: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));
