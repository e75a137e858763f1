/** AWS credentials in the two forms that AWS's own tools read, and how one becomes the other. */
import { z } from 'zod';

/** RFC 3339. AWS's tools fetch new ones some minutes before. */
const expiration = z.iso.datetime();

/** What a `credential_process` prints: AWS CLI and SDKs, "Sourcing credentials with an external process". */
export const processCredentialsSchema = z.object({
  Version: z.literal(1),
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z.string().min(1),
  SessionToken: z.string().min(1),
  Expiration: expiration,
});
export type ProcessCredentials = z.infer<typeof processCredentialsSchema>;

/** What is answered at `AWS_CONTAINER_CREDENTIALS_FULL_URI`: AWS SDKs, "Container credential provider". */
export const containerCredentialsSchema = z.object({
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z.string().min(1),
  Token: z.string().min(1),
  Expiration: expiration,
});
type ContainerCredentials = z.infer<typeof containerCredentialsSchema>;

export const containerFromProcess = (from: ProcessCredentials): ContainerCredentials => ({
  AccessKeyId: from.AccessKeyId,
  SecretAccessKey: from.SecretAccessKey,
  Token: from.SessionToken,
  Expiration: from.Expiration,
});

export const processFromContainer = (from: ContainerCredentials): ProcessCredentials => ({
  Version: 1,
  AccessKeyId: from.AccessKeyId,
  SecretAccessKey: from.SecretAccessKey,
  SessionToken: from.Token,
  Expiration: from.Expiration,
});
