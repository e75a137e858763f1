/** What a configuration that is sound leaves open where policies ask people. Only whoever has read the policies knows that they do. */
import type { Finding } from './problem.js';
import type { Config } from './schema.js';

export function approvalAdvice({
  trust,
  approvals,
  notify,
}: Pick<Config, 'trust' | 'approvals' | 'notify'>): Finding[] {
  const ofPersons = trust.flatMap((entry, index) =>
    entry.kind === 'oidc' && entry.represents === 'person' ? [{ entry, index }] : [],
  );
  if (ofPersons.length === 0)
    return [{ path: ['trust'], reason: 'has no entry that represents persons: nobody can answer what policies ask' }];
  const mayBeTwo = ofPersons.length > 1 ? ofPersons.filter(({ entry }) => !entry.claims.includes('email')) : [];
  const withoutGroups = ofPersons.filter(({ entry }) => !entry.groups);
  const isHeard = notify.some(({ types }) =>
    types.some((type) => type === 'approval' || type === 'approval.requested'),
  );
  return [
    ...(approvals.clients.length === 0 && !approvals.page
      ? [
          {
            path: ['approvals', 'clients'],
            reason: 'names none: an agent that holds a token of a person can answer with it',
          },
        ]
      : []),
    ...withoutGroups.map(({ index }) => ({
      path: ['trust', index, 'groups'],
      reason: 'is not there: its persons are in no group, and a team could agree alone to what its own agent asks',
    })),
    ...mayBeTwo.map(({ index }) => ({
      path: ['trust', index, 'claims'],
      reason: 'has no email: somebody of two entries is two persons, who could agree to what they ask themselves',
    })),
    ...(isHeard
      ? []
      : [
          {
            path: ['notify'],
            reason: 'has no webhook with the type approval: people hear of no question unless they look',
          },
        ]),
  ];
}
