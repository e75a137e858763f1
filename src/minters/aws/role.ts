/** One role sessions are had of: how STS is asked for one, and what follows when it says no. */
import type { AwsTarget } from '../../config/schema.js';
import type { Credential } from '../../domain/credential.js';
import { BrokerError } from '../../domain/errors.js';
import type { Task } from '../../domain/task.js';
import { NothingMinted } from '../minter.js';
import { CLOCKS_APART } from './aws-clock.js';
import type { AwsSurroundings } from './deps.js';
import { createPace, type Pace } from './pace.js';
import { stsOf } from './partition.js';
import { createSts, StsFailure, type AwsSession } from './sts.js';
import { failureOf } from './sts-errors.js';
import { tagsOf, workloadTag } from './tags.js';
import { sessionIdentity, type Issuer } from './web-identity.js';

export interface Role {
  target: AwsTarget;
  pace: Pace;
  /** As the port's `mint`: throws NothingMinted only where that is certain. */
  newSession(credential: Credential, task: Task, policy: string): Promise<AwsSession>;
}

/** AWS keeps no session for less; the deadline in the policy ends it before. */
const DURATION_SECONDS_LEAST = 900;

/** Percent. */
const UTILIZATION_WARNED = 80;

const CLOCK_REST_SECONDS = 30;

export function createRole(target: AwsTarget, { keys, clock, issuer, warn, awsClock }: AwsSurroundings): Role {
  const { aws, resource } = target;
  const sts = createSts(stsOf(target));
  const pace = createPace({ clock, mintsPerSecond: aws.mintsPerSecond });
  const by: Issuer = { keys, clock, issuer: aws.issuer ?? issuer, audience: aws.audience };

  const refused = (thrown: unknown): never => {
    if (!(thrown instanceof StsFailure)) throw thrown;
    const { error, restSeconds, trouble } = failureOf(thrown.answer);
    if (trouble) warn({ target: resource, ...trouble, answer: thrown.message });
    if (error instanceof BrokerError) pace.rest(error, restSeconds);
    throw thrown.certain ? new NothingMinted(error) : error;
  };

  /** There is a session now, which nobody gets: it is told of like any that was lost. */
  const apart = (): BrokerError => {
    warn({ target: resource, what: 'clock', advice: CLOCKS_APART });
    const error = new BrokerError('temporarily_unavailable', 'AWS and the broker disagree about the time.', {
      retryAfterSeconds: CLOCK_REST_SECONDS,
    });
    pace.rest(error, CLOCK_REST_SECONDS);
    return error;
  };

  return {
    target,
    pace,
    async newSession({ issuedAt, expiresAt, ...credential }, task, policy) {
      const tags = tagsOf(credential, task);
      const request = {
        roleArn: resource,
        // By it CloudTrail's events join the ledger. Random, so that nobody can have granted anything to the session before.
        sessionName: tags.jc,
        durationSeconds: Math.max(DURATION_SECONDS_LEAST, Math.floor((expiresAt - issuedAt) / 1_000)),
        policy,
        identity: () => sessionIdentity(by, workloadTag(task), tags),
      };
      const sentAt = clock.now();
      const session = await sts.assume(request).catch(refused);
      if (!awsClock.compare(session.issuedAt, sentAt)) throw apart();
      const { utilization } = session;
      const advice = `The session policy and the tags take ${utilization}% of what a session has room for.`;
      if (utilization > UTILIZATION_WARNED) warn({ target: resource, what: 'session-size', advice });
      return session;
    },
  };
}
