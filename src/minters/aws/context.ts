/** What every part of the minter for AWS sessions shares: what it is made of, its warnings, and how it writes a time. */
import type { AwsTarget } from '../../config/target-schema.js';
import { toSeconds, toTimestamp, type Clock } from '../../domain/time.js';
import type { Keys } from '../../keys/keys.js';
import type { ProxyFor } from '../../outbound/proxy.js';
import type { AwsClock } from './aws-clock.js';

export interface AwsMinterDeps {
  targets: readonly AwsTarget[];
  keys: Pick<Keys, 'sign'>;
  /** The issuer of the broker: the `iss` of the token that proves it to AWS, where a target names no other. */
  issuer: string;
  clock: Clock;
  proxyFor: ProxyFor;
  /** Logs advice for operators. It must not throw. */
  warn: (warning: OperatorWarning) => void;
}

/** The same, with what all roles together learn about AWS. */
export interface AwsContext extends AwsMinterDeps {
  awsClock: AwsClock;
}

/** The subjects of warnings. */
export const WARNING_SUBJECTS = [
  'trust-policy',
  'identity-provider',
  'region-disabled',
  'clock',
  'refused-as-malformed',
  'throttled',
  'session-size',
  'revoker-session',
  'deny-policy',
] as const;

/** What the operator must know and the caller need not. It is logged and counted by `what`, and contains no secret. */
export interface OperatorWarning {
  /** The ARN of the target's role. */
  target: string;
  what: (typeof WARNING_SUBJECTS)[number];
  /** What to look at, as a sentence. */
  advice: string;
  /** What AWS answered: the name of its error, the HTTP status, the id of the request. */
  answer?: string;
}

/**
 * Returns a time as IAM policies and AWS's credential formats write it: RFC 3339, UTC, whole seconds. It is rounded down,
 * so that a session never outlives its record by a fraction of a second.
 */
export const toInstant = (ms: number): string => toTimestamp(toSeconds(ms) * 1_000).replace('.000Z', 'Z');
