/** IAM PutRolePolicy, GetRolePolicy and DeleteRolePolicy: the inline policies of a role. */
import { accessDenied, AwsError, validationError } from './aws-error.js';
import { decide } from './may.js';
import type { Result, SignedCall } from './operation.js';
import type { PolicyDocument } from './policy-document.js';
import type { Role } from './role.js';
import { parseText } from './session-policy.js';
import { sessionArn } from './session.js';

/** The limit for all inline policies of a role together, without white space. */
const INLINE_CHARACTERS_MAX = 10_240;

export function putRolePolicy(call: SignedCall): Result {
  const { account, parameters } = call;
  const text = parameters.required('PolicyDocument');
  const { role, policyName } = admit(call, 'iam:PutRolePolicy');
  const { document } = parseText(text);
  const all = [role.baseText, ...role.written().set(policyName, text).values()];
  if (all.join('').replace(/\s/g, '').length > INLINE_CHARACTERS_MAX)
    throw new AwsError(
      'LimitExceeded',
      `Maximum policy size of ${INLINE_CHARACTERS_MAX} bytes exceeded for role ${role.name}`,
      409,
    );
  const at = account.now();
  role.write({ policyName, at, effectiveAt: at + account.propagationMs, document: document as PolicyDocument, text });
  return undefined;
}

/** Returns the policy as last written, whether or not it is in force yet. */
export function getRolePolicy(call: SignedCall): Result {
  const { role, policyName } = admit(call, 'iam:GetRolePolicy');
  const text = role.written().get(policyName);
  if (text === undefined) throw noSuchEntity(`The role policy with name ${policyName} cannot be found`);
  return { RoleName: role.name, PolicyName: policyName, PolicyDocument: percentEncode(text) };
}

export function deleteRolePolicy(call: SignedCall): Result {
  const { account } = call;
  const { role, policyName } = admit(call, 'iam:DeleteRolePolicy');
  if (!role.written().has(policyName)) throw noSuchEntity(`The role policy with name ${policyName} cannot be found`);
  const at = account.now();
  role.write({ policyName, at, effectiveAt: at + account.propagationMs });
  return undefined;
}

function admit({ account, parameters, caller }: SignedCall, action: string): { role: Role; policyName: string } {
  const roleName = parameters.required('RoleName');
  const policyName = parameters.required('PolicyName');
  parameters.finish();
  if (!/^[\w+=,.@-]{1,64}$/.test(roleName)) throw validationError(`Value at 'roleName' failed to satisfy constraint`);
  if (!/^[\w+=,.@-]{1,128}$/.test(policyName))
    throw validationError(`Value at 'policyName' failed to satisfy constraint`);
  const role = account.roles.find(({ name }) => name === roleName);
  const resource = role?.arn ?? `arn:aws:iam::${account.id}:role/${roleName}`;
  // AWS sets this key for the two actions that write, but not for the one that reads.
  const context = action === 'iam:GetRolePolicy' ? {} : { 'iam:PermissionsBoundary': role?.boundary };
  if (decide(caller, { action, resource, context, at: account.now() }) !== 'allow')
    throw accessDenied(`User: ${sessionArn(caller, account)}`, action, resource);
  if (!role) throw noSuchEntity(`The role with name ${roleName} cannot be found`);
  return { role, policyName };
}

const noSuchEntity = (message: string): AwsError => new AwsError('NoSuchEntity', message, 404);

/** URL encoding by RFC 3986, as IAM returns policy documents. encodeURIComponent leaves five more characters unencoded. */
const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
