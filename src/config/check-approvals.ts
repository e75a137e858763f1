/** Checks `approvals` against the entries of `trust`. */
import type { Finding } from './problem.js';
import type { SoundParts } from './sound-parts.js';

export function approvalFindings({ page, trust, issuer }: SoundParts): Finding[] {
  if (!page) return [];
  const at = (field: string, reason: string): Finding => ({ path: ['approvals', 'page', field], reason });
  const entry = trust.find((one) => one?.name === page.trust);
  // An entry that does not parse is a finding of its own.
  const isKnown = entry !== undefined || trust.includes(undefined);
  const isOfPersons = entry?.kind === 'oidc' && entry.represents === 'person';
  const audiences = (entry?.audiences ?? [issuer]).filter((one) => one !== undefined);
  const withSecret = page.authenticates.startsWith('client_secret');
  return [
    ...(isKnown ? [] : [at('trust', 'is the name of no entry of `trust`')]),
    ...(entry && !isOfPersons ? [at('trust', 'must be an entry of kind oidc that represents persons')] : []),
    ...(isOfPersons && !audiences.includes(page.clientId)
      ? [at('clientId', `must stand in \`audiences\` of the entry ${page.trust}, whose ID tokens are for it`)]
      : []),
    ...(withSecret === (page.clientSecretFile !== undefined)
      ? []
      : [
          at(
            'clientSecretFile',
            withSecret ? 'is needed for a client secret' : `has no use with ${page.authenticates}`,
          ),
        ]),
  ];
}
