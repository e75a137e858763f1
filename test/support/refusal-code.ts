/** For tests of use cases: how something was refused, and settings with an issuer of persons. */
import { BrokerError } from '../../src/domain/errors.js';
import type { Settings } from '../../src/authorization/deps.js';

/** The code of the refusal, or the name of what else was thrown; `granted` when nothing was. */
export async function refusal(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return 'granted';
  } catch (error) {
    if (error instanceof BrokerError) return error.code;
    return error instanceof Error ? error.name : 'unknown';
  }
}

export const withPersons = (settings: Settings): Settings => ({
  ...settings,
  trust: [
    ...settings.trust,
    {
      kind: 'oidc',
      name: 'staff',
      issuer: 'https://staff.example',
      represents: 'person',
      algorithms: ['ES256'],
      claims: [],
    },
  ],
});
