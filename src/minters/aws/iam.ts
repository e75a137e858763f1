/** IAM, as far as the broker uses it: the one inline policy by which it denies sessions of a role. */
import { DeleteRolePolicyCommand, GetRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { answerOf, type Answer } from './answer.js';
import { callLimit, clientSettings } from './client-settings.js';
import { DENY_POLICY_NAME } from './deny-policy.js';
import type { Endpoint } from './partition.js';
import type { AwsSession } from './sts.js';

/** Each takes five seconds at most, and throws IamFailure. `role` is its name, without the path. */
export interface Iam {
  /** Replaces what was there, as a whole. */
  put(role: string, document: string): Promise<void>;
  remove(role: string): Promise<void>;
  /** Undefined where there is none. */
  get(role: string): Promise<string | undefined>;
}

/** Has no message of AWS's or of the SDK's. */
export class IamFailure extends Error {
  override name = 'IamFailure';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(answer.trace.message, { cause: answer.trace });
    this.answer = answer;
  }
}

export function createIam(endpoint: Endpoint, session: AwsSession): Iam {
  const { accessKeyId, secretAccessKey, sessionToken } = session;
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  const client = new IAMClient({ ...clientSettings(endpoint), credentials });
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
