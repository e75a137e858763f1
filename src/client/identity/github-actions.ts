import { IdentityUnavailable } from '../errors.js';
import type { IdentitySource } from '../request.js';
import { kept } from './kept.js';

/**
 * Asks GitHub Actions for the OIDC token of the job. The job needs `permissions: id-token: write`.
 * @param audience what the broker expects as `aud`: its issuer, unless its configuration says otherwise
 */
export function fromGitHubActions(audience: string, env: NodeJS.ProcessEnv = process.env): IdentitySource {
  return kept(async () => {
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = env;
    if (!url || !bearer) {
      throw new IdentityUnavailable(
        'There is no ACTIONS_ID_TOKEN_REQUEST_URL: the job needs "permissions: id-token: write".',
      );
    }
    const asked = new URL(url);
    asked.searchParams.set('audience', audience);
    const answer = await fetch(asked, { headers: { Authorization: `Bearer ${bearer}` }, redirect: 'error' });
    const { value } = (answer.ok ? await answer.json() : {}) as { value?: unknown };
    if (typeof value !== 'string') throw new IdentityUnavailable(`GitHub gave no token: status ${answer.status}.`);
    return value;
  });
}
