/** Sessions of a role for a command that uses an SDK of AWS, as it is: the SDK finds them by itself, within the task. */
import { devNull } from 'node:os';
import { awsCredentialsFor, type Task, type Wish } from '../../client/index.js';
import { defined } from '../../domain/defined.js';
import { endpoint } from '../loopback/credentials.js';
import { startLoopback } from '../loopback/server.js';

interface Sessions {
  /** Variables for the command; undefined for those that it must not have. */
  env: NodeJS.ProcessEnv;
  close: () => Promise<void>;
}

interface SessionWish extends Pick<Wish, 'waitForApproval'> {
  /** One text: authorization_details as JSON. */
  access?: readonly string[];
}

/** Throws what the broker says if it gives no session. */
export async function startSessions(
  task: Task,
  role: string,
  { access, waitForApproval }: SessionWish,
): Promise<Sessions> {
  const session = awsCredentialsFor(task, role, defined({ access: access && detailsIn(access), waitForApproval }));
  await session();
  const { url, close } = await startLoopback(
    endpoint(async () => {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await session();
      return {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration: expiration.toISOString(),
      };
    }),
  );
  return { env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, ...NO_OTHER_WAY }, close };
}

/** SDKs of AWS would find these before the credentials of the task, or after them: with what the user of this machine may. */
const NO_OTHER_WAY: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    [
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'AWS_PROFILE',
      'AWS_DEFAULT_PROFILE',
      'AWS_ROLE_ARN',
      'AWS_WEB_IDENTITY_TOKEN_FILE',
      'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
      'AWS_CONTAINER_AUTHORIZATION_TOKEN',
      'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
    ].map((name) => [name, undefined]),
  ),
  AWS_CONFIG_FILE: devNull,
  AWS_SHARED_CREDENTIALS_FILE: devNull,
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** Scope texts cannot name the actions of AWS. */
function detailsIn([text = '', ...more]: readonly string[]): object[] {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && more.length === 0) return value as object[];
  } catch {
    // The text may be anything.
  }
  throw new Error('With --aws, --access is a list of authorization_details (RFC 9396) as JSON.');
}
