/** One role that sessions are minted of: how STS is asked for a session, and what follows when STS refuses. */
import type { AwsTarget } from '../../config/target-schema.js';
import type { Credential } from '../../domain/credential.js';
import { BrokerError } from '../../domain/errors.js';
import type { Task } from '../../domain/task.js';
import { toSeconds } from '../../domain/time.js';
import { AWS_CLOCK_BACK_OFF_MS, STS_SESSION_LEAST_MS } from '../../domain/timing.js';
import { NothingMinted } from '../minter.js';
import { CLOCKS_APART } from './aws-clock.js';
import type { AwsContext } from './context.js';
import { stsOf } from './endpoint.js';
import { failureOf } from './sts-errors.js';
import { createStsThrottle, type StsThrottle } from './sts-throttle.js';
import { createSts, StsFailure, type AwsSession } from './sts.js';
import { tagsOf } from './tags.js';
import { sessionIdentity, type Issuer } from './web-identity.js';

export interface Role {
  target: AwsTarget;
  throttle: StsThrottle;
  /** Throws like the port's `mint`: NothingMinted only where it is certain that there is no session. */
  newSession(credential: Credential, task: Task, policy: string): Promise<AwsSession>;
}

/** Percent. */
const UTILIZATION_WARNED = 80;

export function createRole(target: AwsTarget, { keys, clock, issuer, warn, awsClock, proxyFor }: AwsContext): Role {
  const { aws, resource } = target;
  const sts = createSts(stsOf(target), proxyFor);
  const throttle = createStsThrottle({ clock, mintsPerSecond: aws.mintsPerSecond });
  const by: Issuer = { keys, clock, issuer: aws.issuer ?? issuer, audience: aws.audience, context: aws.context };

  const refused = (thrown: unknown): never => {
    if (!(thrown instanceof StsFailure)) throw thrown;
    const { error, backOffMs, warning } = failureOf(thrown.answer);
    if (warning) warn({ target: resource, ...warning, answer: thrown.message });
    if (error instanceof BrokerError) throttle.backOff(error, backOffMs);
    throw thrown.certain ? new NothingMinted(error) : error;
  };

  /**
   * Returns the refusal for clocks that differ. The session exists now, but nobody gets it: it is denied like any session
   * whose answer was lost.
   */
  const clocksApart = (): BrokerError => {
    warn({ target: resource, what: 'clock', advice: CLOCKS_APART });
    const error = new BrokerError('temporarily_unavailable', 'AWS and the broker disagree about the time.', {
      retryAfterSeconds: toSeconds(AWS_CLOCK_BACK_OFF_MS),
    });
    throttle.backOff(error, AWS_CLOCK_BACK_OFF_MS);
    return error;
  };

  return {
    target,
    throttle,
    async newSession({ issuedAt, expiresAt, ...credential }, task, policy) {
      const tags = tagsOf(credential, task);
      const request = {
        roleArn: resource,
        // CloudTrail's events carry this name, and join the ledger by it. It is random, so that no resource policy can have
        // named the session before it exists.
        sessionName: tags.jc,
        durationSeconds: toSeconds(Math.max(STS_SESSION_LEAST_MS, expiresAt - issuedAt)),
        policy,
        identity: () => sessionIdentity(by, task, tags),
      };
      const sentAt = clock.now();
      const session = await sts.assume(request).catch(refused);
      if (!awsClock.compare(session.issuedAt, sentAt)) throw clocksApart();
      const { utilization } = session;
      const advice = `The session policy and the tags take ${utilization}% of what a session has room for.`;
      if (utilization > UTILIZATION_WARNED) warn({ target: resource, what: 'session-size', advice });
      return session;
    },
  };
}
