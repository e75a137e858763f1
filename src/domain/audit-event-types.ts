/**
 * Every type of audit entry. The broker writes each of them, and webhooks select entries by them
 * (test/unit/audit/types.test.ts).
 */
export const AUDIT_EVENT_TYPES = [
  'credential.granted',
  'credential.refused',
  'task.opened',
  'revocation.published',
  'revocation.previewed',
  'operation.refused',
  'introspection.inactive',
  'keys.rotated',
  'policy.loaded',
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
  /** A canary was minted: a token that was never granted to anybody, laid out to be found. */
  'canary.minted',
  /** The revocation log was lost and has a new generation: everything from an earlier generation is dead. */
  'log.replaced',
] as const;
