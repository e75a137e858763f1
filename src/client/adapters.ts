/** A task as what other libraries ask for. Each is an object of their shape, so that none of them is needed here. */
import { MayflyError } from './errors.js';
import { membersOf } from './request.js';
import type { Task } from './task.js';
import type { Access, Wish } from './token-request.js';

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
  /** By the clock of this machine, as the SDK counts: where that is wrong, what AWS says would be a time long past or to come. */
  expiration: Date;
}

/**
 * The `credentials` of a client of AWS SDK 3: sessions of a role, each within the task.
 * @param role the ARN of a role that is a target of the broker
 * @param wish RFC 9396 objects, alone or beside whether people are waited for; default: what the task was opened for
 */
export const awsCredentialsFor =
  (task: Task, role: string, wish: readonly object[] | Omit<Wish, 'lifetimeSeconds'> = {}) =>
  async (): Promise<AwsSession> => {
    const wanted = 'length' in wish ? { access: wish } : wish;
    const { token, expiresInSeconds } = await task.credential(role, { ...wanted, lifetimeSeconds: SESSION_SECONDS });
    const { AccessKeyId, SecretAccessKey, SessionToken } = membersOf(token) ?? {};
    if (![AccessKeyId, SecretAccessKey, SessionToken].every((value) => typeof value === 'string')) {
      throw new MayflyError('The credential is no AWS session: is the target an IAM role?');
    }
    // eslint-disable-next-line no-restricted-properties -- the SDK compares it with this very clock.
    const now = Date.now();
    return {
      accessKeyId: String(AccessKeyId),
      secretAccessKey: String(SecretAccessKey),
      sessionToken: String(SessionToken),
      expiration: new Date(now + expiresInSeconds * 1000),
    };
  };
