/**
 * What a client of AWS's SDK is made with. Whatever is not given here the SDK looks up in the environment and in ~/.aws: an
 * endpoint from there would be sent what proves the broker to AWS, a region or profile from there would break it. So nothing
 * is left to look up.
 */
import type { STSClientConfig } from '@aws-sdk/client-sts';
import { AWS_CALL_MS } from '../../domain/timing.js';
import type { Endpoint } from './partition.js';

/** Of one attempt, as the SDK limits them; `callLimit` is for the whole call. */
const CONNECT_MS = 1_000;
const ANSWER_MS = 2_000;

export const clientSettings = ({ endpoint, region }: Endpoint) =>
  ({
    endpoint,
    region,
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    maxAttempts: 3,
    retryMode: 'standard',
    defaultsMode: 'standard',
    authSchemePreference: [],
    userAgentAppId: () => Promise.resolve(undefined),
    // All of these are off by default, and a breach of the request's would only be logged.
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: ANSWER_MS,
      socketTimeout: ANSWER_MS,
      throwOnRequestTimeout: true,
    },
  }) satisfies STSClientConfig;

/** Of one call with all its attempts. It begins to run when it is made. */
export const callLimit = (): AbortSignal => AbortSignal.timeout(AWS_CALL_MS);
