/**
 * AWS's words, as far as the broker judges them: roles, the resources a session may touch, actions. An ARN of a resource is
 * kept as a path like any other, so that patterns, labels and policies mean the same everywhere; of AWS's wildcards only
 * those are taken that mean what ours mean: all of it (`*`), or all below it (`…/*`).
 */

/** RFC 9396: the type of an authorization detail whose location is an IAM role. */
export const AWS_SESSION = 'aws_session';

/** Asks for the role as it is, on the role itself. Ours: no AWS action is named like it. */
export const WHOLE_ROLE = 'aws:assumeRole';

/** AWS forgets no session sooner, and the clock that ends one is AWS's: below this a difference of clocks is too much of it. */
export const SESSION_SECONDS_LEAST = 30;

/** AWS's clouds, as far as it is known here where their STS and IAM are. */
const AWS_PARTITIONS = ['aws', 'aws-cn', 'aws-us-gov', 'aws-eusc'] as const;
export type AwsPartition = (typeof AWS_PARTITIONS)[number];

export const isKnownPartition = (partition: string): partition is AwsPartition =>
  AWS_PARTITIONS.some((known) => known === partition);

export interface Role {
  partition: string;
  account: string;
  /** With its path, as in the ARN behind `role/`. */
  name: string;
}

const ROLE = /^arn:([a-z][a-z-]{0,31}):iam::(\d{12}|):role\/((?:[\w+=,.@-]{1,64}\/){0,8}[\w+=,.@-]{1,64})$/;
/** Partition, service, region, account, and something of the resource. */
const RESOURCE = /^arn:([a-z][a-z-]{0,31}):([a-z0-9-]{1,64}):([a-z0-9-]{0,32}):(\d{12}|aws|):./;
/** Spelled as AWS documents it: IAM takes any case, policies here do not. No wildcard. */
const ACTION = /^[a-z0-9-]{1,32}:[A-Za-z0-9]{1,64}$/;
const ACCESS_KEY_ID = /(?<![A-Z0-9])ASIA[A-Z0-9]{12,124}(?![A-Z0-9])/g;

export function parseRole(arn: string): Role | undefined {
  const match = ROLE.exec(arn);
  if (!match) return undefined;
  const [, partition = '', account = '', name = ''] = match;
  return { partition, account, name };
}

export const isRoleArn = (text: string): boolean => ROLE.test(text);

/** `arn:…:bucket/tenant-42/*` → `arn:…:bucket/tenant-42/**`. */
export const pathOfIdentifier = (identifier: string): string =>
  identifier === '*' ? '**' : identifier.replace(/\/\*$/, '/**');

export const identifierOfPath = (path: string): string => (path === '**' ? '*' : path.replace(/\/\*\*$/, '/*'));

/** The role as it is reaches whatever the role reaches: policy is asked about all of it, with every label and forbid. */
export const WHOLE_ROLE_PATH = '**';

export const isWholeRole = (actions: readonly string[]): boolean => actions.includes(WHOLE_ROLE);

/** What is wrong with an `aws_session` detail, as a sentence, or undefined. Characters and length are judged as of any path. */
export function sessionProblem(roleArn: string, identifier: string, actions: readonly string[]): string | undefined {
  if (isWholeRole(actions)) {
    const alone = actions.length === 1 && identifier === roleArn;
    return alone ? undefined : `"${WHOLE_ROLE}" stands alone, with the role as identifier.`;
  }
  if (!actions.every((action) => ACTION.test(action)))
    return 'An AWS action reads <service>:<Action>, as AWS spells it and without wildcards.';
  if (identifier === '*') return undefined;
  const [, partition, , , account] = RESOURCE.exec(identifier) ?? [];
  const role = parseRole(roleArn);
  if (partition === undefined || account === undefined || !role)
    return 'The identifier is the ARN of a resource, "…/*" for all below it, or "*".';
  if (identifier.replace(/\/\*$/, '').includes('*')) return 'In an ARN "*" can only stand at the end, behind a "/".';
  // Servers that are not AWS keep AWS's names for their resources.
  const clouds = isKnownPartition(role.partition) ? [role.partition] : [role.partition, 'aws'];
  if (!clouds.includes(partition) || (account !== '' && account !== 'aws' && account !== role.account))
    return "The resource lies outside the role's account.";
  return undefined;
}

/** Access key ids of sessions, wherever they stand in a text: what was found may hold several, and a stranger's among them. */
export const accessKeyIdsIn = (text: string): string[] => [...new Set(text.match(ACCESS_KEY_ID) ?? [])];
