/**
 * Every type of audit entry. The broker writes each of them, and webhooks select entries by them
 * (test/unit/audit/types.test.ts).
 */
export const AUDIT_EVENT_TYPES = [
  'credential.granted',
  /** A session that was handed out before was handed out once more, to whom it belongs. Nothing was minted. */
  'credential.given_again',
  'credential.refused',
  'task.opened',
  'revocation.published',
  'revocation.previewed',
  'operation.refused',
  'introspection.inactive',
  /** Where a credential is used, the answer was yes: one entry for each credential, action, resource and minute, with a count. */
  'access.permitted',
  /** Where a live credential is used, the answer was no. */
  'access.denied',
  /** An API says how often a credential was used, and whether it let that pass. Nobody but the API has seen it. */
  'access.reported',
  /** People are asked whether a request may be granted. It waits for them. */
  'approval.requested',
  /** A person answered a request that waits: they agreed, to all of it or to less, or refused. */
  'approval.answered',
  /** Somebody agreed in the place of all who would have had to, because they could not be waited for (break-glass). */
  'approval.emergency',
  /** Somebody who did not declare it has looked at an emergency, and closed its review. */
  'approval.reviewed',
  /** A question is taken back, by whoever asked or because another has taken its place. Nobody can answer it any more. */
  'approval.cancelled',
  'keys.rotated',
  'policy.loaded',
  /** Policies on trial would have answered otherwise than those that bind. It refused nobody, and is no denial. */
  'policy.trial',
  'audit.read',
  /** Refusals, inactive answers, previews and readings of a minute that were counted and not entered, by one caller or issuer. */
  'audit.counted',
  'audit.pruned',
  /** The revocation log forgot entries before the audit log had followed it that far. The entry says which are missing. */
  'audit.gap',
  /** Denials were written to a target. The entry counts the sessions, tasks and workloads that the target now denies. */
  'target.synced',
  /** Denials cannot be written to a target. There is one entry when that begins, and not one for each attempt. */
  'target.sync_failed',
  /** A signal was evaluated. The entry says what it reported, and what a reaction did about it. */
  'signal.evaluated',
  /** A person confirmed or dismissed what a reaction wanted done. */
  'signal.decided',
  /** Somebody dismissed all that a filter found. There is one entry, with their ids. */
  'signal.decided_all',
  /** A source of signals was muted: until then no reaction acts on its reports. And such a mute was ended before its time. */
  'signal.muted',
  'signal.unmuted',
  /** Somebody lifts all holds of a reaction. There is one entry with their numbers, before those of the lifts. */
  'revocation.lifted_all',
  /** A canary was minted: a token that was never granted to anybody, laid out to be found. */
  'canary.minted',
  /** The revocation log was lost and has a new generation: everything from an earlier generation is dead. */
  'log.replaced',
] as const;
