/** Where STS and IAM are. AWS is several clouds that know nothing of each other; within each, IAM is one for all regions. */
import { isKnownPartition, parseRole, type AwsPartition } from '../../targets/aws.js';
import type { AwsTarget } from '../../config/schema.js';

export interface Endpoint {
  endpoint: string;
  /** Which region a request is signed for. */
  region: string;
}

interface Partition {
  suffix: string;
  iamHost: string;
  iamRegion: string;
}

const PARTITIONS: Record<AwsPartition, Partition> = {
  aws: { suffix: 'amazonaws.com', iamHost: 'iam.amazonaws.com', iamRegion: 'us-east-1' },
  'aws-cn': { suffix: 'amazonaws.com.cn', iamHost: 'iam.cn-north-1.amazonaws.com.cn', iamRegion: 'cn-north-1' },
  'aws-us-gov': { suffix: 'amazonaws.com', iamHost: 'iam.us-gov.amazonaws.com', iamRegion: 'us-gov-west-1' },
  'aws-eusc': { suffix: 'amazonaws.eu', iamHost: 'iam.eusc-de-east-1.amazonaws.eu', iamRegion: 'eusc-de-east-1' },
};

export const stsOf = ({ aws, resource }: AwsTarget): Endpoint => ({
  endpoint: aws.stsEndpoint ?? `https://sts.${aws.region}.${known(resource, 'stsEndpoint').suffix}`,
  region: aws.region,
});

export const iamOf = ({ aws, resource }: AwsTarget): Endpoint => ({
  endpoint: aws.iamEndpoint ?? `https://${known(resource, 'iamEndpoint').iamHost}`,
  region: partitionOf(resource)?.iamRegion ?? aws.region,
});

function partitionOf(roleArn: string): Partition | undefined {
  const partition = parseRole(roleArn)?.partition ?? '';
  return isKnownPartition(partition) ? PARTITIONS[partition] : undefined;
}

/** Never guessed: the wrong host would be handed what proves the broker to AWS. */
function known(roleArn: string, setting: string): Partition {
  const partition = partitionOf(roleArn);
  if (!partition) throw new Error(`The partition of ${roleArn} is not known here: set aws.${setting}.`);
  return partition;
}
