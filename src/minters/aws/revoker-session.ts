/**
 * The broker's own sessions, with which it writes deny policies: one for each revoker role, kept hot, so that revoking does
 * not depend on STS, nor on AWS fetching the broker's keys, at the very moment when something is wrong.
 */
import type { AwsTarget } from '../../config/schema.js';
import { BrokerError } from '../../domain/errors.js';
import type { AwsMinterDeps } from './deps.js';
import { createIam, type Iam } from './iam.js';
import { keepHot, type Hot } from './keep-hot.js';
import { iamOf, stsOf } from './partition.js';
import { createSts, StsFailure, type AwsSession } from './sts.js';
import { REVOKER, revokerIdentity } from './web-identity.js';

const SESSION_SECONDS = 3_600;

export function revokerSessions(deps: AwsMinterDeps): (target: AwsTarget) => Hot<Iam> {
  const sessions = new Map<string, Hot<Iam>>();
  return (target) => {
    const iamEndpoint = iamOf(target);
    const { revokerRole, issuer, audience } = target.aws;
    const shared = JSON.stringify([revokerRole, stsOf(target), iamEndpoint, issuer, audience]);
    const known = sessions.get(shared);
    if (known) return known;
    const open = sessionOf(target, deps);
    const hot = keepHot(deps.clock, SESSION_SECONDS * 1_000, async () => createIam(iamEndpoint, await open()));
    sessions.set(shared, hot);
    return hot;
  };
}

function sessionOf(target: AwsTarget, { keys, clock, issuer, warn }: AwsMinterDeps): () => Promise<AwsSession> {
  const { aws, resource } = target;
  const sts = createSts(stsOf(target));
  const by = { keys, clock, issuer: aws.issuer ?? issuer, audience: aws.audience };
  return () =>
    sts
      .assume({
        roleArn: aws.revokerRole,
        sessionName: REVOKER,
        durationSeconds: SESSION_SECONDS,
        identity: () => revokerIdentity(by),
      })
      .catch((thrown: unknown) => {
        if (!(thrown instanceof StsFailure)) throw thrown;
        warn({ target: resource, what: 'revoker-session', advice: ADVICE, answer: thrown.message });
        throw noSession(thrown.answer.trace);
      });
}

const ADVICE =
  "Without it AWS is told of no revocation. The trust policy of aws.revokerRole must allow the broker's OIDC provider sts:AssumeRoleWithWebIdentity and sts:SetSourceIdentity, for the subject broker:revoker.";

const noSession = (cause: Error): BrokerError =>
  new BrokerError('temporarily_unavailable', 'AWS gives the broker no session to revoke with.', {
    retry: 'later',
    cause,
  });
