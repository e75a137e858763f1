/**
 * How AWS names things: its clouds, called partitions, their regions, the ARNs of roles and resources, actions, and access key
 * ids. No other file has a pattern of these.
 */

/** One cloud of AWS. The clouds know nothing of each other. */
export interface Partition {
  /** What the names of its regions begin with; absent for the cloud that has all other regions. */
  regions?: string;
  /** What the hosts of its services end in. */
  suffix: string;
  /** There is one IAM for all regions of the cloud, at this host; requests to it are signed for this region. */
  iamHost: string;
  iamRegion: string;
}

/** The clouds whose endpoints are known here. */
const PARTITIONS = {
  aws: { suffix: 'amazonaws.com', iamHost: 'iam.amazonaws.com', iamRegion: 'us-east-1' },
  'aws-cn': {
    ...{ regions: 'cn-', suffix: 'amazonaws.com.cn' },
    ...{ iamHost: 'iam.cn-north-1.amazonaws.com.cn', iamRegion: 'cn-north-1' },
  },
  'aws-us-gov': {
    ...{ regions: 'us-gov-', suffix: 'amazonaws.com' },
    ...{ iamHost: 'iam.us-gov.amazonaws.com', iamRegion: 'us-gov-west-1' },
  },
  'aws-eusc': {
    ...{ regions: 'eusc-', suffix: 'amazonaws.eu' },
    ...{ iamHost: 'iam.eusc-de-east-1.amazonaws.eu', iamRegion: 'eusc-de-east-1' },
  },
} as const satisfies Record<string, Partition>;

type PartitionName = keyof typeof PARTITIONS;

export const isKnownPartition = (name: string): name is PartitionName => Object.hasOwn(PARTITIONS, name);

/** Returns the cloud of the name; undefined where its endpoints are not known here. */
export const partitionNamed = (name: string): Partition | undefined =>
  isKnownPartition(name) ? PARTITIONS[name] : undefined;

/** Returns the cloud that has the region. */
export function partitionOfRegion(region: string): PartitionName {
  const named = Object.entries<Partition>(PARTITIONS).find(
    ([, { regions }]) => regions !== undefined && region.startsWith(regions),
  );
  return named && isKnownPartition(named[0]) ? named[0] : 'aws';
}

export interface Role {
  partition: string;
  account: string;
  /** With its path, as in the ARN after `role/`. */
  name: string;
}

const PARTITION = '[a-z][a-z-]{0,31}';
/** `eu-central-1`, `us-gov-west-1`, `eusc-de-east-1`. It becomes a part of a host name. */
const REGION = /^[a-z]{2,8}(?:-[a-z]{1,16}){1,3}-\d{1,2}$/;
const ROLE = new RegExp(`^arn:(${PARTITION}):iam::(\\d{12}|):role/((?:[\\w+=,.@-]+/)*[\\w+=,.@-]{1,64})$`);
/** IAM's limit of a path, with the slash at its begin, which an ARN writes as the slash after `role`. */
const ROLE_PATH_CHARACTERS = 512;
/** Partition, service, region, account, and something of the resource. */
const RESOURCE = new RegExp(`^arn:(${PARTITION}):([a-z0-9-]{1,64}):([a-z0-9-]{0,32}):(\\d{12}|aws|):.`);
/** The same as a policy of IAM may name it, where `*` stands for any of it. */
const RESOURCES = new RegExp(`^arn:(${PARTITION}):[a-z0-9-]+:[^:\\s]*:[^:\\s]*:\\S+$`);
/** Spelled as AWS documents it: IAM accepts any case, policies of the broker do not. */
const ACTION = /^[a-z0-9-]{1,32}:(?:[A-Za-z0-9]{1,64}(\*?)|(\*))$/;
const ACCESS_KEY_ID = /(?<![A-Z0-9])ASIA[A-Z0-9]{12,124}(?![A-Z0-9])/g;

export const isRegion = (text: string): boolean => REGION.test(text);

/**
 * Returns the parts of a role's ARN; undefined where it is none. IAM lets a path have any visible character. Here it has those
 * of a role's name: `*` would be a wildcard in the revoker's policy, and `#` ends the role in the broker's own policies.
 */
export function parseRole(arn: string): Role | undefined {
  const [, partition = '', account = '', name = ''] = ROLE.exec(arn) ?? [];
  if (name === '' || name.lastIndexOf('/') + 2 > ROLE_PATH_CHARACTERS) return undefined;
  return { partition, account, name };
}

export const isRoleArn = (text: string): boolean => parseRole(text) !== undefined;

/** Returns where a resource lies; undefined where the text is no ARN. */
export function parseResource(arn: string): { partition: string; account: string } | undefined {
  const [, partition, , , account] = RESOURCE.exec(arn) ?? [];
  return partition === undefined || account === undefined ? undefined : { partition, account };
}

/** Returns the cloud of a resource, or of several that wildcards of IAM name; undefined where the text is no ARN. */
export const partitionOfResources = (arn: string): string | undefined => RESOURCES.exec(arn)?.[1];

/** Returns whether the text is one action of one service, or with a `*` at its end several; undefined where it is neither. */
export function parseAction(text: string): 'one' | 'several' | undefined {
  const match = ACTION.exec(text);
  if (!match) return undefined;
  return match[1] === '*' || match[2] === '*' ? 'several' : 'one';
}

export function* accessKeyIdsIn(text: string): Generator<string> {
  for (const [id] of text.matchAll(ACCESS_KEY_ID)) yield id;
}
