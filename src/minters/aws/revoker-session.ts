/**
 * The broker's own sessions, with which it writes deny policies: one for each revoker role. A session is renewed at half its
 * life. Revoking therefore does not depend on STS, or on AWS fetching the broker's keys, at the moment when something is wrong.
 */
import type { AwsTarget } from '../../config/target-schema.js';
import { BrokerError } from '../../domain/errors.js';
import type { Clock } from '../../domain/time.js';
import { REVOKER_SESSION_MARGIN_MS, REVOKER_SESSION_MS } from '../../domain/timing.js';
import type { Answer } from './answer.js';
import { CLOCKS_APART } from './aws-clock.js';
import type { AwsContext } from './context.js';
import { iamOf, stsOf } from './endpoint.js';
import { createIam, type Iam } from './iam.js';
import { failureOf } from './sts-errors.js';
import { createSts, StsFailure, type AwsSession } from './sts.js';
import { REVOKER, revokerIdentity } from './web-identity.js';

/** A session that is replaced by a new one before it expires. */
interface RenewingSession<T> {
  current(): Promise<T>;
  /** Drops a session that the target rejects: the next `current` opens a new one. */
  drop(session: T): void;
}

/** Returns the session of a target's revoker role. Targets that share the role and the way to it share the session. */
export function revokerSessions(context: AwsContext): (target: AwsTarget) => RenewingSession<Iam> {
  const sessions = new Map<string, RenewingSession<Iam>>();
  return (target) => {
    const iamEndpoint = iamOf(target);
    const { revokerRole, issuer, audience } = target.aws;
    const shared = JSON.stringify([revokerRole, stsOf(target), iamEndpoint, issuer, audience]);
    const known = sessions.get(shared);
    if (known) return known;
    const open = sessionOf(target, context);
    const session = renewingSession(context.clock, REVOKER_SESSION_MS, async () =>
      createIam(await open(), iamEndpoint, context.proxyFor),
    );
    sessions.set(shared, session);
    return session;
  };
}

export function renewingSession<T>(clock: Clock, lifetimeMs: number, open: () => Promise<T>): RenewingSession<T> {
  let stored: { session: T; since: number } | undefined;
  let opening: Promise<T> | undefined;

  const opened = async (): Promise<T> => {
    const since = clock.elapsed(); // The clock is read before the request: the session begins at some moment after this one.
    const session = await open();
    stored = { session, since };
    return session;
  };
  const renew = (): Promise<T> =>
    (opening ??= opened().finally(() => {
      opening = undefined;
    }));

  return {
    async current() {
      const age = stored ? clock.elapsed() - stored.since : Infinity;
      // What begins with the session must also end with it, so its last minute is not used.
      if (!stored || age >= lifetimeMs - REVOKER_SESSION_MARGIN_MS) return renew();
      if (age >= lifetimeMs / 2) void renew().catch(() => undefined); // The next use tries again.
      return stored.session;
    },
    drop(session) {
      if (stored?.session === session) stored = undefined;
    },
  };
}

function sessionOf(
  target: AwsTarget,
  { keys, clock, issuer, warn, awsClock, proxyFor }: AwsContext,
): () => Promise<AwsSession> {
  const { aws, resource } = target;
  const sts = createSts(stsOf(target), proxyFor);
  const by = { keys, clock, issuer: aws.issuer ?? issuer, audience: aws.audience, context: aws.context };
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
    const sentAt = clock.unchecked();
    const session = await open();
    if (!awsClock.compare(session.issuedAt, sentAt)) warn({ target: resource, what: 'clock', advice: CLOCKS_APART });
    return session;
  };
}

/**
 * Returns the advice for an answer. AccessDenied concerns another trust policy here. Every other answer means what it means
 * when a session is minted.
 */
function adviceOn(answer: Answer): string {
  if (answer.name === 'AccessDenied') return TRUST;
  return `${NO_REVOCATION} ${failureOf(answer).warning?.advice ?? 'STS does not answer: can this host reach it?'}`;
}

const NO_REVOCATION = 'Without this session the broker cannot write revocations to AWS.';
const TRUST = `${NO_REVOCATION} The trust policy of aws.revokerRole must allow the broker's OIDC provider sts:AssumeRoleWithWebIdentity and sts:SetSourceIdentity, for the subject broker:revoker.`;

const noSession = (cause: Error): BrokerError =>
  new BrokerError('temporarily_unavailable', 'AWS gives the broker no session to revoke with.', {
    cause,
  });
