/**
 * The rooms of src/, from top to bottom, and for each the rooms it may import from. What is not named here is forbidden:
 * a new arrow is a decision, and `npm run imports` fails until it is written down here.
 * `face`: what other rooms may see of a room. Everything else in it is an implementation, which compose/ picks (and cli/, for a command about that engine).
 */
export const ROOMS = [
  {
    room: 'cli',
    sees: [
      ...['compose', 'credentials', 'revocation', 'audit', 'policy', 'identity', 'ledger', 'config'],
      ...['targets', 'domain', 'protocol'],
    ],
  },
  {
    room: 'compose',
    sees: [
      ...[
        'http',
        'credentials',
        'signals',
        'tasks',
        'revocation',
        'authorization',
        'enforcement',
        'notify',
        'detectors',
      ],
      ...[
        'audit',
        'minters',
        'policy',
        'identity',
        'health',
        'keys',
        'ledger',
        'telemetry',
        'store',
        'config',
        'domain',
      ],
    ],
  },
  {
    room: 'http',
    sees: [
      ...['credentials', 'inventory', 'signals', 'tasks', 'revocation', 'authorization', 'audit', 'policy', 'identity'],
      ...['health', 'keys', 'ledger', 'telemetry', 'store', 'config', 'targets', 'domain', 'protocol'],
    ],
  },
  {
    room: 'credentials',
    sees: [
      ...['tasks', 'revocation', 'authorization', 'enforcement', 'audit', 'minters', 'identity', 'ledger', 'config'],
      ...['targets', 'domain', 'protocol'],
    ],
  },
  {
    room: 'inventory',
    sees: ['revocation', 'authorization', 'enforcement', 'audit', 'identity', 'ledger', 'domain'],
  },
  {
    room: 'signals',
    sees: ['revocation', 'authorization', 'audit', 'identity', 'ledger', 'config', 'domain', 'protocol'],
  },
  {
    room: 'tasks',
    sees: ['revocation', 'authorization', 'audit', 'identity', 'ledger', 'store', 'domain'],
  },
  { room: 'revocation', sees: ['authorization', 'enforcement', 'identity', 'ledger', 'targets', 'domain'] },
  {
    room: 'authorization',
    sees: [
      ...['detectors', 'audit', 'policy', 'identity', 'keys', 'ledger', 'config', 'targets', 'domain', 'protocol'],
    ],
  },
  { room: 'enforcement', sees: ['minters', 'ledger', 'store', 'domain'] },
  { room: 'notify', sees: ['audit', 'keys', 'ledger', 'outbound', 'telemetry', 'config', 'domain'] },
  { room: 'detectors', sees: ['ledger', 'telemetry', 'config', 'domain'], face: 'observer' },
  { room: 'audit', sees: ['keys', 'store', 'domain'] },
  { room: 'minters', sees: ['keys', 'config', 'targets', 'domain', 'protocol'], face: 'minter' },
  { room: 'policy', sees: ['config', 'domain'], face: 'policy-engine|query' },
  { room: 'identity', sees: ['outbound', 'config', 'domain', 'protocol'] },
  { room: 'health', sees: ['store', 'telemetry', 'domain'] },
  { room: 'keys', sees: ['store', 'config', 'domain', 'protocol'] },
  { room: 'ledger', sees: ['store', 'targets', 'domain'] },
  { room: 'outbound', sees: ['domain'] },
  { room: 'telemetry', sees: ['config', 'domain'] },
  { room: 'store', sees: ['domain'], face: 'store|record|follow-log' },
  { room: 'config', sees: ['targets', 'domain'] },
  { room: 'targets', sees: ['domain', 'protocol'] },
  { room: 'domain', sees: [] },
  { room: 'protocol', sees: [] },
];
