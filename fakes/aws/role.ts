/** A role and its inline policies, each written policy taking effect only after a while, as IAM is eventually consistent. */
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
  /** As it was sent. */
  text?: string;
}

export interface Role {
  arn: string;
  /** The last part of the path. */
  name: string;
  /** `AROA…`, with which `aws:userid` begins. */
  id: string;
  boundary: string | undefined;
  maxSessionSeconds: number;
  trust: readonly Trust[];
  baseText: string;
  /** In order of time. */
  writes: readonly PolicyWrite[];
  write(write: PolicyWrite): void;
  /** The text of each inline policy as last written, whether in force or not. */
  written(): Map<string, string>;
  /** Base and inline policies as requests are decided by them at this moment. */
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

/** The last write of each policy that had taken effect. */
function latest(writes: readonly PolicyWrite[], at = Infinity): Map<string, PolicyWrite> {
  return new Map(writes.filter((write) => write.effectiveAt <= at).map((write) => [write.policyName, write]));
}
