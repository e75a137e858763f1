/** Where STS and IAM are, and how a client of AWS's SDK is made for them. */
import type { STSClientConfig } from '@aws-sdk/client-sts';
import type { AwsTarget } from '../../config/target-schema.js';
import { tunnelAgent, type ProxyFor } from '../../outbound/proxy.js';
import { AWS_ANSWER_MS, AWS_CALL_MS, AWS_CONNECT_MS } from '../../domain/timing.js';
import { parseRole, partitionNamed, type Partition } from '../../targets/aws-names.js';

export interface Endpoint {
  endpoint: string;
  /** The region that a request is signed for. */
  region: string;
}

export const stsOf = ({ aws, resource }: AwsTarget): Endpoint => ({
  endpoint: aws.stsEndpoint ?? `https://sts.${aws.region}.${knownPartition(resource, 'stsEndpoint').suffix}`,
  region: aws.region,
});

export const iamOf = ({ aws, resource }: AwsTarget): Endpoint => ({
  endpoint: aws.iamEndpoint ?? `https://${knownPartition(resource, 'iamEndpoint').iamHost}`,
  region: partitionOf(resource)?.iamRegion ?? aws.region,
});

/**
 * Returns the settings of an SDK client. The SDK looks up in the environment and in ~/.aws whatever is missing here. An
 * endpoint from there would receive the token that proves the broker to AWS; a region or profile from there would break
 * requests.
 */
export function clientSettings({ endpoint, region }: Endpoint, proxyFor: ProxyFor) {
  const proxy = proxyFor(new URL(endpoint));
  return {
    endpoint,
    region,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    maxAttempts: 3,
    retryMode: 'standard',
    defaultsMode: 'standard',
    authSchemePreference: [],
    userAgentAppId: () => Promise.resolve(undefined),
    // All of these limits are off by default, and without the last one the SDK only logs that a request took too long.
    requestHandler: {
      connectionTimeout: AWS_CONNECT_MS,
      requestTimeout: AWS_ANSWER_MS,
      socketTimeout: AWS_ANSWER_MS,
      throwOnRequestTimeout: true,
      ...(proxy && { httpsAgent: tunnelAgent(proxy, AWS_CONNECT_MS) }),
    },
  } satisfies STSClientConfig;
}

/** Returns the time limit of one call with all its attempts. It runs from the moment this is called. */
export const callLimit = (): AbortSignal => AbortSignal.timeout(AWS_CALL_MS);

const partitionOf = (roleArn: string): Partition | undefined => partitionNamed(parseRole(roleArn)?.partition ?? '');

/** Throws rather than guesses: the wrong host would receive the token that proves the broker to AWS. */
function knownPartition(roleArn: string, setting: string): Partition {
  const partition = partitionOf(roleArn);
  if (!partition) throw new Error(`The partition of ${roleArn} is not known here: set aws.${setting}.`);
  return partition;
}
