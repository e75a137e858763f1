/**
 * The setup in Terraform's JSON syntax (https://developer.hashicorp.com/terraform/language/syntax/json). Each inline policy is
 * a resource of its own: a resource that manages all inline policies of a role would delete the deny policy.
 */
import type { AccountSetup, RoleSetup } from './account-setup.js';
import type { PolicyDocument } from './policies.js';

const PROVIDER = 'mayfly';

export function terraformOf({ oidcProvider, permissionsBoundary, role, revokerRole }: AccountSetup) {
  const boundary = identifier(permissionsBoundary.PolicyName);
  const [agent, revoker] = [identifier(role.RoleName), identifier(revokerRole.RoleName)];
  if (agent === revoker) throw new Error(`Terraform cannot tell ${role.RoleName} from ${revokerRole.RoleName}.`);
  return {
    resource: {
      aws_iam_openid_connect_provider: {
        [PROVIDER]: { url: literal(oidcProvider.Url), client_id_list: oidcProvider.ClientIDList.map(literal) },
      },
      aws_iam_policy: {
        [boundary]: {
          name: literal(permissionsBoundary.PolicyName),
          path: literal(permissionsBoundary.Path),
          policy: text(permissionsBoundary.PolicyDocument),
        },
      },
      aws_iam_role: {
        [agent]: { ...roleResource(role), permissions_boundary: `\${aws_iam_policy.${boundary}.arn}` },
        [revoker]: roleResource(revokerRole),
      },
      aws_iam_role_policy: { [agent]: inlinePolicy(role, agent), [revoker]: inlinePolicy(revokerRole, revoker) },
    },
  };
}

const roleResource = (role: RoleSetup) => ({
  name: literal(role.RoleName),
  path: literal(role.Path),
  max_session_duration: role.MaxSessionDuration,
  assume_role_policy: text(role.AssumeRolePolicyDocument),
  depends_on: [`aws_iam_openid_connect_provider.${PROVIDER}`],
});

const inlinePolicy = ({ Policy }: RoleSetup, role: string) => ({
  name: literal(Policy.PolicyName),
  role: `\${aws_iam_role.${role}.name}`,
  policy: text(Policy.PolicyDocument),
});

/**
 * Returns the name as an identifier of Terraform. Role names may contain characters that identifiers of Terraform may not.
 */
const identifier = (name: string): string => name.replaceAll(/\W/g, '_').replace(/^\d/, '_$&');

const text = (document: PolicyDocument): string => literal(JSON.stringify(document));

/**
 * Returns the value as text in a string of Terraform. Terraform reads `${` and `%{` in a string as an expression. In a
 * policy, `${aws:PrincipalTag/jt}` is a variable of IAM.
 */
const literal = (value: string): string => value.replaceAll(/[$%]\{/g, (opening) => `${opening.charAt(0)}${opening}`);
