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
  /** What a target was told of deaths: how many entries deny it what, by which writer. */
  'target.told',
  /** A target does not take what it should be told. */
  'target.deaf',
  /** What became of a signal: what it said, and what a reaction did about it. */
  'signal.judged',
  /** A person confirmed or dismissed what a reaction wanted done. */
  'signal.decided',
  /** A token that was never granted anything was made, to be laid out and found. */
  'canary.minted',
  /** The revocation log lost its past: numbers start anew, and everything older is dead. */
  'log.replaced',
] as const;
