/** The same in HCL. Each inline policy is a resource of its own: what manages all of a role's would delete the revocations. */
import type { AccountSetup } from './account-setup.js';
import type { PolicyDocument } from './policy-document.js';
import type { RoleSetup } from './role-setup.js';

export function terraformOf({ oidcProvider, permissionsBoundary, role, revokerRole }: AccountSetup): string {
  const [provider, boundary] = ['mayfly', identifier(permissionsBoundary.PolicyName)];
  return [
    block('aws_iam_openid_connect_provider', provider, {
      url: text(oidcProvider.Url),
      client_id_list: `[${oidcProvider.ClientIDList.map(text).join(', ')}]`,
    }),
    block('aws_iam_policy', boundary, {
      name: text(permissionsBoundary.PolicyName),
      path: text(permissionsBoundary.Path),
      policy: heredoc(permissionsBoundary.PolicyDocument),
    }),
    ...roleBlocks(role, provider, { permissions_boundary: `aws_iam_policy.${boundary}.arn` }),
    ...roleBlocks(revokerRole, provider),
  ].join('\n\n');
}

function roleBlocks(role: RoleSetup, provider: string, more: Record<string, string> = {}): string[] {
  const name = identifier(role.RoleName);
  return [
    block('aws_iam_role', name, {
      name: text(role.RoleName),
      path: text(role.Path),
      max_session_duration: String(role.MaxSessionDuration),
      ...more,
      assume_role_policy: heredoc(role.AssumeRolePolicyDocument),
      depends_on: `[aws_iam_openid_connect_provider.${provider}]`,
    }),
    block('aws_iam_role_policy', name, {
      name: text(role.Policy.PolicyName),
      role: `aws_iam_role.${name}.name`,
      policy: heredoc(role.Policy.PolicyDocument),
    }),
  ];
}

const block = (type: string, name: string, fields: Record<string, string>): string =>
  [
    `resource "${type}" "${name}" {`,
    ...Object.entries(fields).map(([field, value]) => `  ${field} = ${value}`),
    '}',
  ].join('\n');

/** Names of roles have characters that names in Terraform have not. */
const identifier = (name: string): string => name.replaceAll(/\W/g, '_').replace(/^\d/, '_$&');

const text = (value: string): string => literal(JSON.stringify(value));

const heredoc = (document: PolicyDocument): string => `<<JSON\n${literal(JSON.stringify(document, null, 2))}\nJSON`;

/** In HCL these begin an expression; in an ARN they are variables of IAM, such as `${aws:PrincipalTag/jt}`. */
const literal = (json: string): string => json.replaceAll(/[$%]\{/g, (opening) => `${opening.charAt(0)}${opening}`);
