/** A role as the IAM API takes it. */
import { roleOf } from './federation.js';
import type { PolicyDocument } from './policy-document.js';

export interface NamedPolicy {
  PolicyName: string;
  PolicyDocument: PolicyDocument;
}

export interface RoleSetup {
  RoleName: string;
  Path: string;
  MaxSessionDuration: number;
  /** The ARN of the policy that is its boundary. */
  PermissionsBoundary?: string;
  AssumeRolePolicyDocument: PolicyDocument;
  /** Inline. */
  Policy: NamedPolicy;
}

/** IAM takes no less than an hour as the longest session, and the broker asks for no more. */
const MAX_SESSION_SECONDS = 3_600;

/** `…:role/jit/agent` → `agent` in `/jit/`. */
export function namedRole(arn: string): Pick<RoleSetup, 'RoleName' | 'Path' | 'MaxSessionDuration'> {
  const { name } = roleOf(arn);
  const at = name.lastIndexOf('/') + 1;
  return { RoleName: name.slice(at), Path: `/${name.slice(0, at)}`, MaxSessionDuration: MAX_SESSION_SECONDS };
}
