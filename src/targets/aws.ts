/**
 * IAM roles, whose credentials are AWS sessions. The ARN of a resource is kept as a path like any other, so that patterns,
 * labels and policies mean the same for every kind. Of AWS's wildcards only two are accepted, which mean what ours mean: `*`
 * for everything, and `…/*` for all that is below.
 */
import { AWS_CREDENTIALS_TYPE, toProcessCredentials, type AwsCredentials } from '../protocol/aws-credentials.js';
import {
  accessKeyIdsIn,
  isKnownPartition,
  isRoleArn,
  parseAction,
  parseResource,
  parseRole,
  partitionOfRegion,
} from './aws-names.js';
import type { SettingProblem, TargetKind } from './kind.js';

export interface AwsMaterial extends AwsCredentials {
  kind: 'aws-sts';
}

/** An entry of the configuration, as far as its checks need it. */
interface ConfiguredRole {
  resource: string;
  aws: {
    region: string;
    audience: string;
    revokerRole: string;
    stsEndpoint?: string | undefined;
    iamEndpoint?: string | undefined;
  };
}

/** The action that asks for the role as it is, on the role itself. It is the broker's own: AWS has no action of this name. */
export const WHOLE_ROLE = 'aws:assumeRole';

/** The shortest session. AWS's clock ends sessions: in a shorter one, a difference of clocks would be too large a part. */
export const SESSION_SECONDS_LEAST = 30;

/**
 * What the other inline policies of a role may take together, the base policy among them. The deny policy has the rest of the
 * quota: with larger other policies, IAM would refuse a full deny policy.
 */
export const BASE_POLICY_CHARACTERS = 700;

export const aws: TargetKind<AwsMaterial, ConfiguredRole> = {
  name: 'aws-sts',
  resourceNoun: 'an IAM role',
  enforced: true,
  owns: isRoleArn,
  detailType: 'aws_session',
  hasScope: false,
  detailProblem,
  // The role as it is reaches all that the role reaches. Policy is asked about all of it, with every label and forbid.
  toPath: (identifier, actions) => (isWholeRole(actions) ? '**' : pathOfIdentifier(identifier)),
  toIdentifier: (path, role, actions) => (isWholeRole(actions) ? role : identifierOfPath(path)),
  tokenTypes: [AWS_CREDENTIALS_TYPE],
  tokenType: 'N_A',
  accessToken: (material) => JSON.stringify(toProcessCredentials(material)),
  handles: { label: 'accessKeyId', findIn: accessKeyIdsIn },
  // OpenID Connect Discovery §3: AWS registers the broker as an identity provider.
  metadata: { response_types_supported: ['id_token'] },
  identity: { of: roleIdentity, clash: 'has the name of another role: their deny policies would be one' },
  settingProblems,
};

/** Returns the path of an identifier: `arn:…:bucket/tenant-42/*` → `arn:…:bucket/tenant-42/**`. */
export const pathOfIdentifier = (identifier: string): string =>
  identifier === '*' ? '**' : identifier.replace(/\/\*$/, '/**');

export const identifierOfPath = (path: string): string => (path === '**' ? '*' : path.replace(/\/\*\*$/, '/*'));

export const isWholeRole = (actions: readonly string[]): boolean => actions.includes(WHOLE_ROLE);

export function detailProblem(roleArn: string, identifier: string, actions: readonly string[]): string | undefined {
  if (isWholeRole(actions)) {
    const alone = actions.length === 1 && identifier === roleArn;
    return alone ? undefined : `"${WHOLE_ROLE}" stands alone, with the role as identifier.`;
  }
  if (!actions.every((action) => parseAction(action) === 'one'))
    return 'An AWS action reads <service>:<Action>, as AWS spells it and without wildcards.';
  if (identifier === '*') return undefined;
  const resource = parseResource(identifier);
  const role = parseRole(roleArn);
  if (!resource || !role) return 'The identifier is the ARN of a resource, "…/*" for all below it, or "*".';
  if (identifier.replace(/\/\*$/, '').includes('*')) return 'In an ARN "*" can only stand at the end, behind a "/".';
  // Servers that are not AWS, such as MinIO, keep AWS's partition in the names of their resources.
  const clouds = isKnownPartition(role.partition) ? [role.partition] : [role.partition, 'aws'];
  const accounts = ['', 'aws', role.account];
  const isInside = clouds.includes(resource.partition) && accounts.includes(resource.account);
  return isInside ? undefined : "The resource lies outside the role's account.";
}

/**
 * Returns what identifies a role. IAM knows a role by its name alone, in any case: two roles that differ by path would
 * share one deny policy.
 */
function roleIdentity(roleArn: string): string {
  const role = parseRole(roleArn);
  if (!role) return roleArn;
  return `${role.partition} ${role.account} ${role.name.slice(role.name.lastIndexOf('/') + 1).toLowerCase()}`;
}

function settingProblems({ aws: settings, resource }: ConfiguredRole, targets: ReadonlySet<string>): SettingProblem[] {
  const role = parseRole(resource);
  const elsewhere = "is missing: where the role's partition has it is not known here";
  const partition = role?.partition ?? '';
  const unknown = !isKnownPartition(partition);
  const home = partitionOfRegion(settings.region);
  const found: [string, boolean, string][] = [
    ['region', !unknown && home !== partition, `is a region of ${home}, and the role is in ${partition}`],
    // Whoever may get a token for that target could prove themselves to AWS with it.
    ['audience', targets.has(settings.audience), 'is the resource of a target'],
    ['revokerRole', targets.has(settings.revokerRole), 'is a target: agents could revoke'],
    [
      'revokerRole',
      parseRole(settings.revokerRole)?.account !== role?.account,
      'is in another account than the target, whose policies it must write',
    ],
    ['stsEndpoint', unknown && !settings.stsEndpoint, elsewhere],
    ['iamEndpoint', unknown && !settings.iamEndpoint, elsewhere],
  ];
  return found.filter(([, wrong]) => wrong).map(([field, , reason]) => ({ path: ['aws', field], reason }));
}
