/** The schema of `approvals.page`: how persons sign in on the page for approvers. */
import { z } from 'zod';
import { file, unreservedName } from './values.js';

export const approverPageSchema = z
  .strictObject({
    trust: unreservedName.describe('The `trust` entry of the provider where approvers sign in. It represents persons.'),
    clientId: z
      .string()
      .min(1)
      .describe('The broker as a client of that provider; it stands in the `audiences` of the entry.'),
    authenticates: z
      .enum(['private_key_jwt', 'client_secret_basic', 'client_secret_post', 'none'])
      .default('private_key_jwt')
      .describe('How the broker proves itself there. Default: signed by its own keys, which are at `<issuer>/jwks`.'),
    clientSecretFile: file
      .optional()
      .describe('Holds the client secret, for a provider that takes nothing better; read anew for each login.'),
    ca: file.optional().describe('PEM certificates to trust for the provider instead of the system store.'),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be one scope, without spaces'))
      .default([])
      .describe('What is asked for beside `openid`, so that the ID token says the groups.'),
  })
  .describe('The page for approvers at `/approvals`. Without it there is none, and answers come by the API.');

export type ApproverPage = z.output<typeof approverPageSchema>;
