/**
 * A broker for searches over orders of events: the real use cases and ledger over any store. Identity, policy and minting
 * touch no store, so each is the plainest thing that implements its port; the audit log is one commit, as the real one is.
 */
import type { Deps } from '../../../src/credentials/deps.js';
import { sessionCache } from '../../../src/credentials/session-cache.js';
import type { Observer } from '../../../src/detectors/observer.js';
import { approvalsSchema } from '../../../src/config/approvals-schema.js';
import { configSchema } from '../../../src/config/schema.js';
import { signalsSchema } from '../../../src/config/signals-schema.js';
import type { AuthenticatedCaller } from '../../../src/identity/proof.js';
import { createInTurn } from '../../../src/ledger/in-turn.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import type { PolicyEngine } from '../../../src/policy/policy-engine.js';
import type { Store } from '../../../src/store/store.js';
import type { HandClock } from '../clock.js';

export const ISSUER = 'http://127.0.0.1:8080';
export const TARGET = 'https://tickets.example';
export const AGENT = 'lab:agent';
export const PLANNER = 'lab:planner';
export const OPERATOR = 'lab:operator';

export interface BareBroker extends Deps {
  /** Ids of what was minted, released or not. */
  minted: string[];
}

const signals = signalsSchema.parse(undefined);
/** Few, because a search makes a hundred thousand brokers, and each takes the memory for all places at once. */
const SESSIONS_KEPT = 20;
const lifetimes = configSchema.shape.lifetimes.parse(undefined);

export function bareBroker(store: Store, clock: HandClock, credentialsPerTask = 16): BareBroker {
  const minted: string[] = [];
  const ledger = { records: store.records, log: openRevocationLog(store.log), clock };
  return {
    minted,
    ledger,
    // Fresher than any cutoff: here the log alone decides, and no clock.
    identify: (token) => Promise.resolve(proven(token, clock, clock.now() + 60_000)),
    policy: permitAll,
    keys: { verify: () => Promise.reject(new Error('no tokens here')) },
    minters: new Map([
      [
        'jwt',
        {
          kind: 'jwt',
          mint: ({ id }) => (minted.push(id), Promise.resolve({ material: { kind: 'jwt', token: id } })),
        },
      ],
    ]),
    audit: {
      async append({ type, credential = '' }) {
        await store.records.commit({ put: [[`audit/${type}:${credential}`, 'durable']] });
      },
    },
    targets: new Map([[TARGET, { resource: TARGET, minter: 'jwt', labels: [], tags: {} }]]),
    settings: {
      approvals: approvalsSchema.parse(undefined),
      issuer: ISSUER,
      lifetimes,
      limits: { credentialsPerTask, credentialsPerSharedTask: credentialsPerTask, delegationDepth: 3 },
      trust: [
        {
          kind: 'oidc',
          name: 'lab',
          issuer: 'https://lab.example',
          represents: 'workload',
          workload: ['sub'],
          also: [],
          proofAgeMax: 28_800,
          algorithms: ['ES256'],
          claims: [],
        },
      ],
      targets: [TARGET],
      purposes: undefined,
      owners: {},
      signals,
    },
    observer: unobserved,
    sessions: sessionCache(ledger, SESSIONS_KEPT),
    inTurn: createInTurn(),
    untilEnforceable: () => Promise.resolve(),
    parties: { granted: () => undefined },
    assertFitToMint: () => undefined,
    assertWithinRate: () => Promise.resolve(),
    assertWithinQuota: () => Promise.resolve(),
  };
}

export const proven = (id: string, clock: HandClock, issuedAt: number = clock.now() - 60_000): AuthenticatedCaller => ({
  party: id.startsWith('staff:')
    ? {
        kind: 'person',
        id,
        issuer: 'staff',
        claims: { desk: '7', roles: ['auditor'] },
        unread: ['teams'],
        groups: ['finance'],
      }
    : { kind: 'workload', id, issuer: 'lab', owner: 'sre', claims: {}, groups: [] },
  proofHash: 'proof',
  issuedAt,
  expiresAt: clock.now() + 3_600_000,
});

/** This observer ignores every event. */
export const unobserved: Observer = {
  granted: () => undefined,
  refused: () => undefined,
  lockedOut: () => undefined,
  deadUse: () => undefined,
  presented: () => undefined,
  unverified: () => undefined,
};

const permitAll: PolicyEngine = {
  digest: 'all',
  isGrantable: () => true,
  evaluationsOf: ({ length }) => length,
  reload: () => Promise.resolve({ digest: 'all', problems: [] }),
  source: () => Promise.resolve('all'),
  atOnce: 1,
  decide: ({ context }) =>
    Promise.resolve({
      outcome: 'permit',
      ...(context.kind === 'access' && { lifetimeSeconds: context.lifetimeSeconds }),
      policies: ['all'],
      digest: 'all',
    }),
};
