/** A task as what other libraries ask for. Each is an object of their shape, so that none of them is needed here. */
import { MayflyError } from './errors.js';
import { membersOf } from './request.js';
import type { Access, Task } from './task.js';

/** The `AuthProvider` of `@modelcontextprotocol/client` 2: give it to a transport as `authProvider`. For SDK 1, use fetchFor(). */
export const mcpAuthFor = (task: Task, { target, access }: { target: string; access?: Access }) => ({
  token: async (): Promise<string> => (await task.credential(target, access)).token,
  /** The transport calls it after a 401 and then asks once more. */
  onUnauthorized(): Promise<void> {
    task.discard(target, access);
    return Promise.resolve();
  },
});

/** SDKs ask for the next session when five minutes are left, so sessions of five minutes would be asked for before every call. */
const SESSION_SECONDS = 3_600;

export interface AwsSession {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: Date;
}

/**
 * The `credentials` of a client of AWS SDK 3: sessions of a role, each within the task.
 * @param role the ARN of a role that is a target of the broker
 * @param access RFC 9396 objects; default: what the task was opened for
 */
export const awsCredentialsFor =
  (task: Task, role: string, access?: readonly object[]) => async (): Promise<AwsSession> => {
    const { token } = await task.credential(role, { ...(access && { access }), lifetimeSeconds: SESSION_SECONDS });
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = membersOf(token) ?? {};
    if (![AccessKeyId, SecretAccessKey, SessionToken, Expiration].every((value) => typeof value === 'string')) {
      throw new MayflyError('The credential is no AWS session: is the target an IAM role?');
    }
    return {
      accessKeyId: String(AccessKeyId),
      secretAccessKey: String(SecretAccessKey),
      sessionToken: String(SessionToken),
      expiration: new Date(String(Expiration)),
    };
  };
