/** The part of STS that the broker uses: one request, which is not signed but carries a JWT that proves who asks. */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  AssumeRoleWithWebIdentityCommand,
  STSClient,
  type AssumeRoleWithWebIdentityResponse,
} from '@aws-sdk/client-sts';
import { defined } from '../../domain/defined.js';
import type { ProxyFor } from '../../outbound/proxy.js';
import { answerOf, KEY_NOT_RETRIEVED, type Answer } from './answer.js';
import { callLimit, clientSettings, type Endpoint } from './endpoint.js';

interface AssumeRequest {
  roleArn: string;
  sessionName: string;
  durationSeconds: number;
  policy?: string;
  /**
   * Signs the JWT. It lives a minute, so each attempt has its own. All of them carry the same tags: if several attempts made a
   * session, one denial kills all.
   */
  identity: () => Promise<string>;
}

export interface AwsSession {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** How much of AWS's limit for session policy and tags is used, in percent. */
  utilization: number;
  /** When AWS issued the session, by AWS's clock in whole seconds; in milliseconds. Undefined where AWS did not say. */
  issuedAt: number | undefined;
}

interface Sts {
  /** Takes five seconds at most, with all attempts. Throws StsFailure. */
  assume(request: AssumeRequest): Promise<AwsSession>;
}

/** Its message contains nothing that AWS or the SDK wrote. */
export class StsFailure extends Error {
  override name = 'StsFailure';
  readonly answer: Answer;
  /** Whether it is certain that no attempt made a session. */
  readonly certain: boolean;

  constructor(answer: Answer, certain: boolean) {
    super(answer.trace.message, { cause: answer.trace });
    this.answer = answer;
    this.certain = certain;
  }
}

/** How often an attempt is repeated after these errors. The SDK itself repeats after throttling, 5xx and network errors. */
const REPEATS = new Map([
  [KEY_NOT_RETRIEVED, 2],
  ['ExpiredToken', 1],
]);

export function createSts(endpoint: Endpoint, proxyFor: ProxyFor): Sts {
  const client = new STSClient({
    ...clientSettings(endpoint, proxyFor),
    sigv4aSigningRegionSet: [],
    credentials: () => Promise.reject(new Error('STS requests of the broker are never signed')),
  });
  return {
    async assume(request) {
      const signal = callLimit();
      let certain = true;
      for (let repeats = 0; ; repeats += 1) {
        const attempt = await send(client, request, signal);
        if ('session' in attempt) return attempt.session;
        certain &&= attempt.answer.refused;
        if (repeats >= (REPEATS.get(attempt.answer.name) ?? 0) || !(await paused(signal)))
          throw new StsFailure(attempt.answer, certain);
      }
    },
  };
}

type Attempt = { session: AwsSession } | { answer: Answer };

async function send(client: STSClient, request: AssumeRequest, abortSignal: AbortSignal): Promise<Attempt> {
  const command = new AssumeRoleWithWebIdentityCommand(
    defined({
      RoleArn: request.roleArn,
      RoleSessionName: request.sessionName,
      WebIdentityToken: await request.identity(),
      DurationSeconds: request.durationSeconds,
      Policy: request.policy,
    }),
  );
  try {
    return sessionOf(await client.send(command, { abortSignal }), request.durationSeconds);
  } catch (error) {
    return { answer: answerOf('STS', error) };
  }
}

function sessionOf(response: AssumeRoleWithWebIdentityResponse, durationSeconds: number): Attempt {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = response.Credentials ?? {};
  const issuedAt = Expiration && Expiration.getTime() - durationSeconds * 1_000;
  if (!AccessKeyId || !SecretAccessKey || !SessionToken) return { answer: answerOf('STS', undefined) };
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- its successor came in June 2026: not every endpoint sends it
  const utilization = response.SessionTokenUtilization ?? response.PackedPolicySize ?? 0;
  return {
    session: {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      utilization,
      issuedAt,
    },
  };
}

/** Waits some tenths of a second, different for each request. Returns false when there is no time left. */
const paused = (signal: AbortSignal): Promise<boolean> =>
  pause(randomInt(100, 300), true, { signal }).catch(() => false);
