/**
 * The broker's own sessions, with which it writes deny policies: one for each revoker role, kept hot, so that revoking does
 * not depend on STS, nor on AWS fetching the broker's keys, at the very moment when something is wrong.
 */
import type { AwsTarget } from '../../config/schema.js';
import { BrokerError } from '../../domain/errors.js';
import { REVOKER_SESSION_MS } from '../../domain/timing.js';
import type { Answer } from './answer.js';
import { CLOCKS_APART } from './aws-clock.js';
import type { AwsSurroundings } from './deps.js';
import { createIam, type Iam } from './iam.js';
import { keepHot, type Hot } from './keep-hot.js';
import { iamOf, stsOf } from './partition.js';
import { createSts, StsFailure, type AwsSession } from './sts.js';
import { failureOf } from './sts-errors.js';
import { REVOKER, revokerIdentity } from './web-identity.js';

export function revokerSessions(deps: AwsSurroundings): (target: AwsTarget) => Hot<Iam> {
  const sessions = new Map<string, Hot<Iam>>();
  return (target) => {
    const iamEndpoint = iamOf(target);
    const { revokerRole, issuer, audience } = target.aws;
    const shared = JSON.stringify([revokerRole, stsOf(target), iamEndpoint, issuer, audience]);
    const known = sessions.get(shared);
    if (known) return known;
    const open = sessionOf(target, deps);
    const hot = keepHot(deps.clock, REVOKER_SESSION_MS, async () => createIam(iamEndpoint, await open()));
    sessions.set(shared, hot);
    return hot;
  };
}

function sessionOf(
  target: AwsTarget,
  { keys, clock, issuer, warn, awsClock }: AwsSurroundings,
): () => Promise<AwsSession> {
  const { aws, resource } = target;
  const sts = createSts(stsOf(target));
  const by = { keys, clock, issuer: aws.issuer ?? issuer, audience: aws.audience };
  const open = () =>
    sts
      .assume({
        roleArn: aws.revokerRole,
        sessionName: REVOKER,
        durationSeconds: REVOKER_SESSION_MS / 1_000,
        identity: () => revokerIdentity(by),
      })
      .catch((thrown: unknown) => {
        if (!(thrown instanceof StsFailure)) throw thrown;
        warn({ target: resource, what: 'revoker-session', advice: adviceOn(thrown.answer), answer: thrown.message });
        throw noSession(thrown.answer.trace);
      });
  return async () => {
    const sentAt = clock.now();
    const session = await open();
    if (!awsClock.compare(session.issuedAt, sentAt)) warn({ target: resource, what: 'clock', advice: CLOCKS_APART });
    return session;
  };
}

/** Other refusals mean what they mean when a session is minted. */
function adviceOn(answer: Answer): string {
  if (answer.name === 'AccessDenied') return TRUST;
  return `Without it AWS is told of no revocation. ${failureOf(answer).trouble?.advice ?? 'STS does not answer: can this host reach it?'}`;
}

const TRUST =
  "Without it AWS is told of no revocation. The trust policy of aws.revokerRole must allow the broker's OIDC provider sts:AssumeRoleWithWebIdentity and sts:SetSourceIdentity, for the subject broker:revoker.";

const noSession = (cause: Error): BrokerError =>
  new BrokerError('temporarily_unavailable', 'AWS gives the broker no session to revoke with.', {
    cause,
  });
