/**
 * The times of minting and revoking depend on each other. Each dependency stands here with its reason, and with a value that
 * breaks it: a check that could not fail would prove nothing.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as limits from '../../../src/domain/limits.js';
import * as timing from '../../../src/domain/timing.js';
import { SESSION_SECONDS_LEAST } from '../../../src/targets/aws.js';

const SHORTEST_SESSION_MS = SESSION_SECONDS_LEAST * 1000;
const CREDENTIAL_LIFETIME_MS = limits.HARD_LIMITS.credentialLifetimeSeconds * 1000;
const { FORGET_MARGIN_MS, HISTORY_MS } = limits;

type Times = Record<keyof typeof timing, number>;

const RULES: [reason: string, holds: (t: Times) => boolean, broken: Partial<Times>][] = [
  [
    "AWS tells sessions before a cutoff from those after it: its clock, cut to seconds, is nearer to the broker's than the fence is wide",
    (t) => t.AWS_CLOCK_TOLERANCE_MS + t.AWS_CLOCK_ROUNDING_MS < t.FENCE_MS,
    { AWS_CLOCK_TOLERANCE_MS: timing.FENCE_MS },
  ],
  [
    'a push ends within the lease, also when it begins at the last moment allowed: its two calls take no longer than is kept free',
    (t) => 2 * t.AWS_CALL_MS <= t.PUSH_MS,
    { AWS_CALL_MS: timing.PUSH_MS },
  ],
  [
    'one attempt at AWS, to connect and to be answered, ends within its call',
    (t) => t.AWS_CONNECT_MS + t.AWS_ANSWER_MS < t.AWS_CALL_MS,
    { AWS_ANSWER_MS: timing.AWS_CALL_MS - timing.AWS_CONNECT_MS },
  ],
  [
    'STS makes a session that lasts until the deadline, also for the shortest that is granted and for the broker itself',
    (t) => t.STS_SESSION_LEAST_MS > SHORTEST_SESSION_MS && t.STS_SESSION_LEAST_MS <= t.REVOKER_SESSION_MS,
    { REVOKER_SESSION_MS: timing.STS_SESSION_LEAST_MS - 1_000 },
  ],
  [
    'the less likely it is that a refusal of STS passes by itself, the longer the role backs off',
    (t) =>
      t.STS_BUSY_BACK_OFF_MS < t.STS_UNVERIFIED_BACK_OFF_MS &&
      t.STS_UNVERIFIED_BACK_OFF_MS < Math.min(t.STS_CONFIGURATION_BACK_OFF_MS, t.AWS_CLOCK_BACK_OFF_MS),
    { STS_UNVERIFIED_BACK_OFF_MS: timing.AWS_CLOCK_BACK_OFF_MS },
  ],
  [
    'an SDK that is kept waiting for a role is answered before boto3 gives up, after two seconds',
    (t) => t.ENFORCEABLE_PATIENCE_MS + t.ENFORCEABLE_POLL_MS < 2_000,
    { ENFORCEABLE_PATIENCE_MS: 2_000 },
  ],
  [
    'a caller that asks again finds another answer possible: a broker has had a turn to take the lease or to push',
    (t) => t.PUSH_PAUSE_MS <= t.UNENFORCEABLE_RETRY_MS,
    { UNENFORCEABLE_RETRY_MS: timing.PUSH_PAUSE_MS - 1 },
  ],
  [
    'a caller that asks a full role again finds its live sessions counted again',
    (t) => t.FULL_LOOK_MS + t.PUSH_PAUSE_MS < t.FULL_TARGET_RETRY_MS,
    { FULL_TARGET_RETRY_MS: timing.FULL_LOOK_MS },
  ],
  [
    'a lease is renewed before it can be lost: the turn after a push of full length still finds it',
    (t) => t.PUSH_MS + t.PUSH_PAUSE_MS < t.TARGET_LEASE_RENEWED_BELOW_MS,
    { TARGET_LEASE_RENEWED_BELOW_MS: timing.PUSH_MS },
  ],
  [
    'a lease is not renewed in every turn: each renewal is a write to the store',
    (t) => t.TARGET_LEASE_RENEWED_BELOW_MS + t.PUSH_PAUSE_MS < t.TARGET_LEASE_MS,
    { TARGET_LEASE_RENEWED_BELOW_MS: timing.TARGET_LEASE_MS },
  ],
  [
    "the broker's session at AWS lives until the push that begins with it has ended",
    (t) => t.PUSH_MS < t.REVOKER_SESSION_MARGIN_MS,
    { REVOKER_SESSION_MARGIN_MS: timing.AWS_CALL_MS },
  ],
  [
    "the broker's session at AWS is renewed, at half its life, before it is too old to be used",
    (t) => t.REVOKER_SESSION_MS / 2 < t.REVOKER_SESSION_MS - t.REVOKER_SESSION_MARGIN_MS,
    { REVOKER_SESSION_MARGIN_MS: timing.REVOKER_SESSION_MS / 2 },
  ],
  [
    "the proof for STS outlives the call that it is made for, also by AWS's clock",
    (t) => t.AWS_CALL_MS + t.AWS_CLOCK_TOLERANCE_MS + t.AWS_CLOCK_ROUNDING_MS < t.STS_PROOF_MS,
    { STS_PROOF_MS: timing.AWS_CALL_MS },
  ],
  [
    "a reservation counts as lost only after the minter's own time-out, also by the clock of a broker that is ahead",
    (t) => t.MINT_BEGINS_WITHIN_MS + t.AWS_CALL_MS + t.FENCE_MS < t.LOST_AFTER_MS,
    { MINT_BEGINS_WITHIN_MS: timing.LOST_AFTER_MS - timing.AWS_CALL_MS },
  ],
  [
    'a role is tried again at the longest pause, and the try has ended, before failing pushes stop its minting',
    (t) => t.PUSH_RETRY_MAX_MS + t.PUSH_MS < t.FAILING_LIMIT_MS,
    { FAILING_LIMIT_MS: timing.PUSH_MS },
  ],
  [
    'a holder of the lease that dies stops minting no later than failing pushes would',
    (t) => t.TARGET_LEASE_MS <= t.FAILING_LIMIT_MS,
    { TARGET_LEASE_MS: 2 * timing.FAILING_LIMIT_MS },
  ],
  [
    'a role that fails is tried less often than one that does not',
    (t) => t.PUSH_PAUSE_MS < t.PUSH_RETRY_MAX_MS,
    { PUSH_RETRY_MAX_MS: 0 },
  ],
  [
    'a push that only removes denials waits longer than one that denies',
    (t) => t.PUSH_PAUSE_MS < t.TIDY_AFTER_MS,
    { TIDY_AFTER_MS: 0 },
  ],
  [
    'an end is not called effective before IAM had time, by the clock of a broker that is ahead of the one that pushed',
    (t) => t.FENCE_MS < t.PROPAGATION_MS,
    { PROPAGATION_MS: timing.FENCE_MS },
  ],
  [
    'only a session that no push could end sooner is left to its deadline',
    (t) => t.RESIDUAL_MS <= t.PROPAGATION_MS,
    { RESIDUAL_MS: timing.PROPAGATION_MS + 1 },
  ],
  [
    'the shortest session that is granted can be ended before its deadline: what is left of it is more than the residual',
    (t) => t.RESIDUAL_MS + t.PUSH_PAUSE_MS < SHORTEST_SESSION_MS,
    { RESIDUAL_MS: SHORTEST_SESSION_MS },
  ],
  [
    "a record of an expired session is kept for longer than AWS's clock may differ: until then the session is denied",
    (t) => t.AWS_CLOCK_TOLERANCE_MS + t.AWS_CLOCK_ROUNDING_MS < t.DENIED_AFTER_EXPIRY_MS,
    { DENIED_AFTER_EXPIRY_MS: timing.AWS_CLOCK_TOLERANCE_MS },
  ],
  [
    'the log remembers an end until the session is not denied any more: without its tombstone the session would count as alive',
    (t) => t.DENIED_AFTER_EXPIRY_MS + t.FULL_LOOK_MS < FORGET_MARGIN_MS,
    { DENIED_AFTER_EXPIRY_MS: FORGET_MARGIN_MS },
  ],
  [
    'the record of a session is there until the session is not denied any more: without it the session would count as unreadable',
    (t) => t.DENIED_AFTER_EXPIRY_MS + t.FULL_LOOK_MS < HISTORY_MS,
    { FULL_LOOK_MS: HISTORY_MS },
  ],
  [
    "the cutoff of a role stays in its policy until no session from before it can live, by AWS's clock either",
    (t) => CREDENTIAL_LIFETIME_MS + t.DENIED_AFTER_EXPIRY_MS <= t.CUTOFF_DENIED_MS,
    { CUTOFF_DENIED_MS: CREDENTIAL_LIFETIME_MS },
  ],
];

describe.each(RULES)('%s', (_, holds, broken) => {
  it('holds', () => {
    expect(holds(timing)).toBe(true);
  });

  it('can fail', () => {
    expect(holds({ ...timing, ...broken })).toBe(false);
  });
});

it('every time of the table is in some rule', () => {
  const rules = RULES.map(([, holds]) => holds.toString()).join('\n');
  expect(Object.keys(timing).filter((name) => !new RegExp(`\\bt\\.${name}\\b`).test(rules))).toEqual([]);
});

/** Files that decide when a role may be minted for, or when an end is effective there. */
const TIMED = [...filesIn('src/enforcement'), ...filesIn('src/minters/aws'), 'src/credentials/release.ts'];

/** A constant with a time in its name, or a number where a time is due. */
const OWN_TIME =
  /const \w*(?:_MS|SECONDS)\w* = .*|\w(?:Seconds|Ms)\b(?: =|:) (?!0\b)[\d_]+|return [\d_]{4,}|timeout\([\d_]+/g;

it.each(TIMED)('%s has no times of its own: they all stand in the table', (file) => {
  expect(readFileSync(file, 'utf8').match(OWN_TIME)).toBeNull();
});

it.each([
  'const BACK_OFF_SECONDS = 30;',
  'const DURATION_SECONDS_LEAST = 900;',
  'retryAfterSeconds: 60,',
  'return 1_000;',
  'AbortSignal.timeout(5_000)',
])('a time like %j is found', (text) => expect(text.match(OWN_TIME)).not.toBeNull());

function filesIn(folder: string): string[] {
  return readdirSync(folder).map((file) => `${folder}/${file}`);
}
