/** The schema of `policy`: which engine decides, and where it is. */
import { z } from 'zod';
import { isAction } from '../domain/access.js';
import { file, keyUrl } from './values.js';

const engineUrl = keyUrl
  .refine((text) => !/[?#]/.test(text), 'must have no query and no fragment')
  .transform((text) => text.replace(/\/+$/, ''));

/** What engines outside the broker have in common. */
const elsewhere = {
  url: engineUrl.describe('Where the engine is: https, or http on loopback.'),
  ca: file.optional().describe('PEM certificates to trust for that URL instead of the system store.'),
  bearerFile: file.optional().describe('A token to send, read anew for each question (Kubernetes).'),
  timeoutMs: z
    .int()
    .min(10)
    .max(10_000)
    .default(1_000)
    .describe('How long the questions of one request may take, together. What takes longer is refused.'),
  actions: z
    .array(z.string().refine(isAction, 'must be the name of an action, such as read or s3:GetObject'))
    .min(1)
    .default(['read', 'write', 'execute', 'export'])
    .describe('The actions that can be granted.'),
  patterns: z
    .enum(['refuse', 'ask'])
    .default('refuse')
    .describe('Whether the engine is asked about patterns. `ask` only if its policies know what a pattern is.'),
};

export const policySchema = z.discriminatedUnion('engine', [
  z.strictObject({
    engine: z.literal('cedar').describe('Cedar, inside the broker.'),
    directory: file.describe('Holds the `*.cedar` files and `schema.cedarschema`.'),
    trial: z
      .strictObject({
        directory: file.describe('Holds policies that are asked too, and decide nothing.'),
        enforce: z.literal('audit').describe('Where they would answer otherwise, the audit log says so.'),
      })
      .optional()
      .describe('Policies on trial.'),
  }),
  z.strictObject({
    engine: z.literal('opa').describe('Open Policy Agent, by its Data API.'),
    path: z
      .string()
      .regex(/^\w[\w-]*(\/\w[\w-]*)*$/, 'must be the path of a document, such as mayfly/answer')
      .describe('OPA: the document that answers, such as `mayfly/answer`.'),
    ...elsewhere,
  }),
  z.strictObject({
    engine: z.literal('authzen').describe('A decision point that speaks AuthZEN 1.0.'),
    ...elsewhere,
  }),
]);

type Policy = z.output<typeof policySchema>;

/** Returns the directory of Cedar policies that is meant. @param instead What a command was told to read. */
export function cedarDirectory({ policy }: { policy: Policy }, instead?: string): string {
  if (instead !== undefined) return instead;
  if (policy.engine === 'cedar') return policy.directory;
  throw new Error(
    `The configuration has the policy engine ${policy.engine}, which keeps its own policies. Only policies of Cedar can be read here: name their directory.`,
  );
}

/** Returns the directory of the policies on trial, if there are any. */
export const trialDirectory = ({ policy }: { policy: Policy }): string | undefined =>
  policy.engine === 'cedar' ? policy.trial?.directory : undefined;
