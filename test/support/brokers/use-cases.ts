/**
 * A broker without HTTP: the real use cases, ledger, keys, minter and audit log, over LMDB in a temporary directory or over the
 * given store. Identity tokens are the names of callers, unverified; policy permits everything unless a test says otherwise.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import type { Settings } from '../../../src/authorization/deps.js';
import { openAuditLog, type AuditLog } from '../../../src/audit/log.js';
import { introspect } from '../../../src/credentials/introspect.js';
import { openTask, type TaskAnswer } from '../../../src/tasks/open-task.js';
import type { Issued } from '../../../src/credentials/release.js';
import type { OpenTaskRequest } from '../../../src/tasks/draft-task.js';
import type { AuditEvent } from '../../../src/audit/event.js';
import type { AuthenticatedCaller } from '../../../src/identity/proof.js';
import { openKeys, type Keys } from '../../../src/keys/keys.js';
import { createJwtMinter } from '../../../src/minters/jwt.js';
import type { AccessTokenClaims } from '../../../src/protocol/access-token.js';
import { openLmdb } from '../../../src/store/lmdb.js';
import type { Store } from '../../../src/store/store.js';
import { AGENT, bareBroker, ISSUER, OPERATOR, proven, TARGET, type BareBroker } from './stubbed.js';
import { handClock, type HandClock } from '../clock.js';
import { temporaryDirectory } from '../directory.js';
import { exchange, type ExchangeRequest } from '../exchanging.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';

export { AGENT, OPERATOR, TARGET };

type Deps = Omit<BareBroker, 'audit' | 'keys'> & { audit: AuditLog; keys: Keys };

export interface WholeBroker {
  deps: Deps;
  store: Store;
  clock: HandClock;
  agent: AuthenticatedCaller;
  operator: AuthenticatedCaller;
  /** Exchanges as `lab:agent`, for incident 4711, under a new task; `wish` replaces parts of the request. */
  exchange(wish?: Partial<ExchangeRequest>): Promise<Issued>;
  under(taskId: string): Promise<Issued>;
  open(wish?: Partial<OpenTaskRequest>): Promise<TaskAnswer>;
  introspect(token: string): Promise<AccessTokenClaims | undefined>;
  isActive: (issued: Issued) => Promise<boolean>;
  /** Returns every entry of the audit log, revocations included. */
  audited(): Promise<AuditEvent[]>;
}

export const lmdbStore = async (clock: HandClock): Promise<Store> => {
  const store = await openLmdb({
    directory: join(temporaryDirectory(), 'store'),
    clock,
    role: 'broker',
    keptBytes: 65_536,
  });
  opened.push(store);
  return store;
};

const opened: Store[] = [];
afterAll(() => Promise.all(opened.map((store) => store.close())));

export async function wholeBroker(
  given: { store?: Store; clock?: HandClock; keyEncryptionKey?: Uint8Array } & Partial<Deps> = {},
): Promise<WholeBroker> {
  const { clock = handClock(), keyEncryptionKey = new Uint8Array(randomBytes(32)), store: chosen, ...over } = given;
  const store = chosen ?? (await lmdbStore(clock));
  const issuer = ISSUER;
  const { records, log } = store;
  const keys = await openKeys({ records, clock, keyEncryptionKey, rotationDays: 30 });
  const audit = openAuditLog({ records, log, clock, keys, issuer, node: 'one', giveUpAfterMs: 200 });
  const minters = new Map([['jwt', createJwtMinter({ keys, issuer })] as const]);
  const identify = (token: string) => Promise.resolve(proven(token, clock));
  const deps: Deps = { ...bareBroker(store, clock), identify, keys, audit, minters, ...over };

  const exchanged = (wish: Partial<ExchangeRequest> = {}) =>
    exchange(deps, {
      subject: { token: AGENT, type: 'urn:ietf:params:oauth:token-type:jwt' },
      target: TARGET,
      access: [{ path: 'incident/4711', actions: ['read'] }],
      askedAsScope: true,
      under: { purpose: 'triage' },
      requestId: 'r',
      ...wish,
    });
  const asked = (token: string) => introspect(deps, proven('lab:api', clock), { token, requestId: 'r' });
  return {
    deps,
    store,
    clock,
    agent: proven(AGENT, clock),
    operator: proven(OPERATOR, clock),
    exchange: exchanged,
    under: (taskId) => exchanged({ under: { taskId } }),
    open: (wish) =>
      openTask(deps, proven(OPERATOR, clock), { workload: AGENT, purpose: 'triage', requestId: 'r', ...wish }),
    introspect: asked,
    isActive: async ({ minted }) => (await asked(accessTokenOf(minted.material))) !== undefined,
    async audited() {
      await audit.catchUp();
      const events: AuditEvent[] = [];
      for await (const line of audit.exportLines()) events.push(JSON.parse(line) as AuditEvent);
      return events;
    },
  };
}

/** The same settings, whose workloads have ids that outlast their runs: a run is a subject. */
export const withRuns = (settings: Settings): Settings => ({
  ...settings,
  trust: settings.trust.map((one) => (one.name === 'lab' ? { ...one, workload: ['agent'] } : one)),
});

/** The same settings, which also trust an issuer of persons: `staff`. */
export const withPersons = (settings: Settings): Settings => ({
  ...settings,
  trust: [
    ...settings.trust,
    {
      kind: 'oidc',
      name: 'staff',
      issuer: 'https://staff.example',
      represents: 'person',
      workload: ['sub'],
      also: [],
      proofAgeMax: 28_800,
      algorithms: ['ES256'],
      claims: [],
    },
  ],
});
