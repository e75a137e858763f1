/** Every type of audit entry. The broker writes each of them, and webhooks select entries by them (test/unit/audit/types.test.ts). */
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
  'audit.pruned',
  /** Revocations that the log forgot before they could be entered here. */
  'audit.gap',
  /** What a target must deny was written to it: how many sessions, tasks and workloads. */
  'target.synced',
  /** What a target must deny cannot be written to it. There is one entry when that begins, not one an attempt. */
  'target.sync_failed',
  /** What became of a signal: what it said, and what a reaction did about it. */
  'signal.judged',
  /** A person confirmed or dismissed what a reaction wanted done. */
  'signal.decided',
  /** A token that was never granted anything was made, to be laid out and found. */
  'canary.minted',
  /** The revocation log lost its past: numbers start anew, and everything older is dead. */
  'log.replaced',
] as const;
