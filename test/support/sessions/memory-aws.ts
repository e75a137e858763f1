/**
 * AWS in memory: sessions and inline policies as the loopback account keeps and evaluates them, with the product's policies and
 * tags, but without HTTP. For tests that need thousands of sessions or thousands of seconds.
 */
import { isDeepStrictEqual } from 'node:util';
import { WHOLE_ROLE } from '../../../src/targets/aws.js';
import type { Credential } from '../../../src/domain/credential.js';
import { BrokerError } from '../../../src/domain/errors.js';
import type { Task } from '../../../src/domain/task.js';
import type { Clock } from '../../../src/domain/time.js';
import { DENY_POLICY_NAME, denyPolicy, denyPolicyFill } from '../../../src/minters/aws/deny-policy.js';
import { sessionPolicy } from '../../../src/minters/aws/session-policy.js';
import { tagsOf } from '../../../src/minters/aws/tags.js';
import { NothingMinted, type Denials, type Enforcer, type Minter } from '../../../src/minters/minter.js';
import { createAccount, type Account } from '../../../fakes/aws/account.js';
import { agentArn, agentRole } from '../../../fakes/aws/example-roles.js';
import { decide } from '../../../fakes/aws/may.js';
import type { PolicyDocument } from '../../../fakes/aws/policy-document.js';
import type { RoleOptions } from '../../../fakes/aws/options.js';
import type { PolicyWrite, Role } from '../../../fakes/aws/role.js';
import { readSessionPolicy } from '../../../fakes/aws/session-policy.js';
import { checkTags } from '../../../fakes/aws/session-tags.js';
import { openSession, type Session } from '../../../fakes/aws/session.js';

const ACCOUNT = '111122223333';
export const ROLE = agentArn(ACCOUNT, 'agent-0');
export const OTHER_ROLE = agentArn(ACCOUNT, 'agent-1');
const OBJECT = 'arn:aws:s3:::customer-data/tenant-42/a.txt';

/** IAM's limit for all inline policies of a role together. */
const ROLE_POLICY_CHARACTERS = 10_240;
const PROPAGATION_MS = 4_000;

/**
 * `refused`: AWS refused. `unheard`: nothing was made, but the broker cannot know. `lost`: AWS made it, and its answer is lost.
 * `never`: AWS made it, and the broker dies before the answer. `never-made`: the broker dies before the request arrives.
 */
export type MintFault = 'refused' | 'unheard' | 'lost' | 'never' | 'never-made';

export interface MemoryAws {
  account: Account;
  minter: Minter & { enforcer: Enforcer };
  /** The faults of the next mints, one each. */
  mintFaults: MintFault[];
  /** Roles whose policy cannot be written now. */
  failing: Set<string>;
  /** Policy writes wait for this promise, and so come late. */
  late?: Promise<void>;
  /** Every session that AWS made, by the id of its credential. */
  made: ReadonlyMap<string, Session>;
  /** Returns whether AWS now allows a read with the session of this credential. */
  reads: (credentialId: string) => boolean;
  passes: (session: Session) => boolean;
  writes: (role: string) => readonly PolicyWrite[];
  /** Returns the deny policy as it was last written. */
  document: (role: string) => PolicyDocument | undefined;
  /** Writes the deny policy as somebody else, or deletes it. */
  tamper: (role: string, text?: string) => void;
}

export interface MemoryAwsWish {
  /** Returns how full a role is with these denials. Default: by the length of the real policy. */
  fillOf?: ((denials: Denials) => number) | undefined;
  /** These options replace options of both roles. */
  role?: Partial<RoleOptions>;
}

export function memoryAws(clock: Clock, { fillOf = denyPolicyFill, role: over }: MemoryAwsWish = {}): MemoryAws {
  const example = { account: ACCOUNT, issuerName: 'mayfly.example', audience: 'sts.amazonaws.com' };
  const account = createAccount({
    ...{ account: ACCOUNT, providers: [], propagationMs: PROPAGATION_MS, now: () => clock.now() },
    roles: ['agent-0', 'agent-1'].map((name) => ({ ...agentRole(example, name), ...over })),
  });
  const made = new Map<string, Session>();
  const mintFaults: MintFault[] = [];
  const failing = new Set<string>();
  const roleOf = (arn: string): Role => {
    const role = account.roles.find((one) => one.arn === arn);
    if (!role) throw new Error(`there is no role ${arn}`);
    return role;
  };
  const textOf = (role: string) => roleOf(role).written().get(DENY_POLICY_NAME);
  const passes = (session: Session) =>
    decide(session, { action: 's3:GetObject', resource: OBJECT, at: clock.now() }) === 'allow';
  const enforcer: Enforcer = {
    fill: (_target, denials) => fillOf(denials),
    async enforce(target, denials, fence) {
      await aws.late;
      if (failing.has(target)) throw new Error('IAM does not answer');
      write(roleOf(target), account, denyPolicy(denials, fence));
    },
    clockAgrees: () => true,
    isInForce: (target, denials, fence) =>
      Promise.resolve(isDeepStrictEqual(parsed(textOf(target)), parsed(denyPolicy(denials, fence)))),
  };
  const aws: MemoryAws = {
    ...{ account, mintFaults, failing, made },
    minter: {
      kind: 'aws-sts',
      enforcer,
      mint(credential, task) {
        const fault = mintFaults.shift();
        if (fault === 'refused') {
          const text = 'AWS STS takes no more requests at present.';
          return Promise.reject(new NothingMinted(new BrokerError('temporarily_unavailable', text)));
        }
        if (fault === 'unheard') return Promise.reject(new Error('no answer'));
        if (fault === 'never-made') return new Promise(() => undefined);
        const session = open(account, roleOf(credential.target), credential, task);
        made.set(credential.id, session);
        if (fault === 'lost') return Promise.reject(new Error('no answer'));
        if (fault === 'never') return new Promise(() => undefined);
        const keys = { accessKeyId: session.id, secretAccessKey: 'x', sessionToken: 'x', expiration: 'x' };
        return Promise.resolve({ material: { kind: 'aws-sts', ...keys }, handle: session.id });
      },
    },
    reads(credentialId) {
      const session = made.get(credentialId);
      if (!session) throw new Error('no session was made for it');
      return passes(session);
    },
    passes,
    writes: (role) => roleOf(role).writes,
    document: (role) => parsed(textOf(role)),
    tamper: (role, text) => write(roleOf(role), account, text),
  };
  return aws;
}

/** The access of every session in these tests: the object that `reads` reads. */
export const ACCESS = [{ path: 'arn:aws:s3:::customer-data/tenant-42/**', actions: ['s3:GetObject'] }];

function open(account: Account, role: Role, credential: Credential, task: Task): Session {
  if (credential.access.some(({ actions }) => actions.includes(WHOLE_ROLE))) throw new Error('not in these tests');
  const tags = tagsOf(credential, task);
  return openSession(account, {
    role,
    roleSessionName: tags.jc,
    durationSeconds: Math.max(900, (credential.expiresAt - credential.issuedAt) / 1_000),
    tags: checkTags(Object.entries(tags), Object.keys(tags)),
    sourceIdentity: tags.jc,
    policy: readSessionPolicy(sessionPolicy(credential.access, credential.expiresAt)),
  });
}

function write(role: Role, { propagationMs, now }: Account, text: string | undefined): void {
  if (text === undefined && !role.written().has(DENY_POLICY_NAME)) return;
  if (role.baseText.length + (text?.length ?? 0) > ROLE_POLICY_CHARACTERS) throw new Error('LimitExceeded');
  const document = parsed(text);
  role.write({
    ...{ policyName: DENY_POLICY_NAME, at: now(), effectiveAt: now() + propagationMs },
    ...(text !== undefined && document && { document, text }),
  });
}

const parsed = (text: string | undefined): PolicyDocument | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as PolicyDocument);
