/** The part of IAM that the broker uses: the one inline policy of a role that denies sessions. */
import { DeleteRolePolicyCommand, GetRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import type { ProxyFor } from '../../outbound/proxy.js';
import { answerOf, type Answer } from './answer.js';
import { DENY_POLICY_NAME } from './deny-policy.js';
import { callLimit, clientSettings, type Endpoint } from './endpoint.js';
import type { AwsSession } from './sts.js';

/** Each call takes five seconds at most, and throws IamFailure. `role` is the name of a role without its path. */
export interface Iam {
  /** Replaces the whole policy. */
  put(role: string, document: string): Promise<void>;
  remove(role: string): Promise<void>;
  /** Returns the policy document; undefined where there is none. */
  get(role: string): Promise<string | undefined>;
}

/** Its message contains nothing that AWS or the SDK wrote. */
export class IamFailure extends Error {
  override name = 'IamFailure';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(answer.trace.message, { cause: answer.trace });
    this.answer = answer;
  }
}

export function createIam(session: AwsSession, endpoint: Endpoint, proxyFor: ProxyFor): Iam {
  const { accessKeyId, secretAccessKey, sessionToken } = session;
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  const client = new IAMClient({ ...clientSettings(endpoint, proxyFor), credentials });
  const policyOf = (role: string) => ({ RoleName: role, PolicyName: DENY_POLICY_NAME });
  return {
    async put(role, document) {
      const command = new PutRolePolicyCommand({ ...policyOf(role), PolicyDocument: document });
      await client.send(command, { abortSignal: callLimit() }).catch(failed);
    },
    async remove(role) {
      const command = new DeleteRolePolicyCommand(policyOf(role));
      await client.send(command, { abortSignal: callLimit() }).catch(unlessAbsent);
    },
    async get(role) {
      const command = new GetRolePolicyCommand(policyOf(role));
      const found = await client.send(command, { abortSignal: callLimit() }).catch(unlessAbsent);
      return found?.PolicyDocument;
    },
  };
}

function failed(thrown: unknown): never {
  throw new IamFailure(answerOf('IAM', thrown));
}

function unlessAbsent(thrown: unknown): undefined {
  const answer = answerOf('IAM', thrown);
  if (answer.name !== 'NoSuchEntity') throw new IamFailure(answer);
}
