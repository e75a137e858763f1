import { isSafeOrigin } from '../../domain/safe-origin.js';
import { IdentityUnavailable } from '../errors.js';
import { kept } from './kept.js';
const TIMEOUT_MS = 5_000;
/**
 * Asks GitHub Actions for the OIDC token of the job. The job needs `permissions: id-token: write`.
 * @param audience what the broker expects as `aud`: its issuer, unless its configuration says otherwise
 */
export function fromGitHubActions(audience, env = process.env) {
  return kept(async () => {
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = env;
    if (!url || !bearer) {
      throw new IdentityUnavailable(
        'There is no ACTIONS_ID_TOKEN_REQUEST_URL: the job needs "permissions: id-token: write".',
      );
    }
    const asked = new URL(url);
    if (!isSafeOrigin(asked.origin)) throw new IdentityUnavailable('ACTIONS_ID_TOKEN_REQUEST_URL is no https URL.');
    asked.searchParams.set('audience', audience);
    const answer = await fetch(asked, {
      headers: { Authorization: `Bearer ${bearer}` },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { value } = answer.ok ? await answer.json() : {};
    if (typeof value !== 'string') throw new IdentityUnavailable(`GitHub gave no token: status ${answer.status}.`);
    return value;
  });
}
