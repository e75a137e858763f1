/** AWS credentials, and the two forms in which AWS's own tools read them. */
import { z } from 'zod';

/**
 * The token type of AWS credentials. It is the broker's own, since no standard defines one. AWS credentials are no OAuth token,
 * so their `token_type` is `N_A`.
 */
export const AWS_CREDENTIALS_TYPE = 'urn:mayfly:params:oauth:token-type:aws-credentials';

/** What AWS STS issues for one session. All but the access key id is secret. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** The end of the session, RFC 3339. AWS's tools fetch new credentials some minutes before. */
  expiration: string;
}

/** What a `credential_process` prints, by the AWS SDK reference, "Process credential provider". `parse` throws a ZodError. */
export const processCredentialsSchema = z.object({
  Version: z.literal(1),
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z.string().min(1),
  SessionToken: z.string().min(1),
  Expiration: z.iso.datetime(),
});
export type ProcessCredentials = z.infer<typeof processCredentialsSchema>;

/** Returns the credentials as a `credential_process` prints them. */
export const toProcessCredentials = (from: AwsCredentials): ProcessCredentials => ({
  Version: 1,
  AccessKeyId: from.accessKeyId,
  SecretAccessKey: from.secretAccessKey,
  SessionToken: from.sessionToken,
  Expiration: from.expiration,
});

/**
 * Returns the credentials as `AWS_CONTAINER_CREDENTIALS_FULL_URI` answers: AWS SDK reference, "Container credential provider".
 */
export const toContainerCredentials = (from: AwsCredentials) => ({
  AccessKeyId: from.accessKeyId,
  SecretAccessKey: from.secretAccessKey,
  Token: from.sessionToken,
  Expiration: from.expiration,
});

/** Reads the answer of `AWS_CONTAINER_CREDENTIALS_FULL_URI`. `parse` throws a ZodError for anything else. */
export const containerCredentialsSchema = z
  .object({
    AccessKeyId: z.string().min(1),
    SecretAccessKey: z.string().min(1),
    Token: z.string().min(1),
    Expiration: z.iso.datetime(),
  })
  .transform((from): AwsCredentials => ({
    accessKeyId: from.AccessKeyId,
    secretAccessKey: from.SecretAccessKey,
    sessionToken: from.Token,
    expiration: from.Expiration,
  }));
