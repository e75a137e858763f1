/**
 * `@mayfly-broker/client`: credentials for one task, from an agent in Node. It has no dependencies.
 *
 *     const broker = mayfly({ url: 'https://mayfly.example', identity: fromFile('/var/run/secrets/mayfly/token') });
 *     await broker.run({ purpose: 'summarise' }, async (task) => {
 *       const { token } = await task.credential('https://tickets.example', 'incident/4711:read');
 *     });
 */
export { mayfly, type Mayfly, type MayflyOptions, type TaskOptions } from './mayfly.js';
export { Task, type Outcome } from './task.js';
export type { Access, Wish } from './token-request.js';
export { Credential } from './credential.js';
export {
  ApprovalNeeded,
  IdentityUnavailable,
  MayflyError,
  NotApproved,
  Refused,
  TaskEnded,
  Unavailable,
} from './errors.js';
export type { Retry } from '../domain/retry.js';
export type { IdentitySource } from './request.js';
export { fromFile } from './identity/file.js';
export { fromGitHubActions } from './identity/github-actions.js';
export { fetchFor } from './fetch.js';
export { awsCredentialsFor, mcpAuthFor, type AwsSession } from './adapters.js';
export { fromAws } from './identity/aws.js';
export { fromSpiffe } from './identity/spiffe.js';
