/** A role and its inline policies. IAM is eventually consistent, so a policy takes effect some time after it was written. */
import { randomId } from './random-id.js';
import type { RoleOptions } from './options.js';
import { parsePolicy, parseTrust, type Permission, type PolicyDocument, type Trust } from './policy-document.js';

export interface PolicyWrite {
  policyName: string;
  /** Milliseconds since the epoch. */
  at: number;
  effectiveAt: number;
  /** Absent when the policy was deleted. */
  document?: PolicyDocument;
  /** The text of the policy as it was sent. */
  text?: string;
}

export interface Role {
  arn: string;
  /** The last part of the path. */
  name: string;
  /** The role id, `AROA…`. The key `aws:userid` begins with it. */
  id: string;
  boundary: string | undefined;
  maxSessionSeconds: number;
  trust: readonly Trust[];
  baseText: string;
  /** All writes, oldest first. */
  writes: readonly PolicyWrite[];
  write(write: PolicyWrite): void;
  /** The text of each inline policy as last written, whether in force or not. */
  written(): Map<string, string>;
  /** The permissions of the base policy and of the inline policies that are in force at this time. */
  inForce(at: number): readonly Permission[];
}

export function createRole({ arn, trust, base, maxSessionSeconds = 3_600, boundary }: RoleOptions): Role {
  const basePermissions = parsePolicy(base);
  const writes: PolicyWrite[] = [];
  const parsed = new WeakMap<PolicyWrite, readonly Permission[]>();
  return {
    arn,
    name: arn.slice(arn.lastIndexOf('/') + 1),
    id: randomId('AROA'),
    boundary,
    maxSessionSeconds,
    trust: parseTrust(trust),
    baseText: JSON.stringify(base),
    writes,
    write(write) {
      if (write.document) parsed.set(write, parsePolicy(write.document));
      writes.push(write);
    },
    written: () =>
      new Map(
        [...latest(writes).values()].flatMap(({ policyName, text }) =>
          text === undefined ? [] : [[policyName, text]],
        ),
      ),
    inForce(at) {
      const inline = [...latest(writes, at).values()];
      return [...basePermissions, ...inline.flatMap((write) => parsed.get(write) ?? [])];
    },
  };
}

/** The latest write of each policy that had taken effect at this time; by default, the latest of all. */
function latest(writes: readonly PolicyWrite[], at = Infinity): Map<string, PolicyWrite> {
  return new Map(writes.filter((write) => write.effectiveAt <= at).map((write) => [write.policyName, write]));
}
