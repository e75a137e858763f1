/**
 * A broker of AWS sessions without HTTP: the real use cases, ledger and reconciler over any store, and AWS in memory. Who asks
 * is accepted as it is: `<issuer>:<owner>-<anything>` is a workload, `staff:…` a person.
 */
import { reconcileTargets } from '../../../src/compose/work.js';
import { watchClock } from '../../../src/health/watched-clock.js';
import { createFitness, type Fitness } from '../../../src/health/fitness.js';
import { openTask } from '../../../src/tasks/open-task.js';
import type { Issued } from '../../../src/credentials/release.js';
import type { Access } from '../../../src/domain/access.js';
import { targetSchema } from '../../../src/config/target-schema.js';
import type { Credential } from '../../../src/domain/credential.js';
import type { Effect, SelectorKind } from '../../../src/domain/selector.js';
import type { LogEntry } from '../../../src/domain/tombstone.js';
import type { AuthenticatedCaller } from '../../../src/identity/proof.js';
import { sessionEffect } from '../../../src/revocation/effects.js';
import { findCredential } from '../../../src/ledger/credentials.js';
import { createReconciler, type Reconciler } from '../../../src/enforcement/reconcile.js';
import { revoke } from '../../../src/ledger/revoke.js';
import type { SessionEffect } from '../../../src/enforcement/effect.js';
import { sweep } from '../../../src/tasks/sweep.js';
import type { Store } from '../../../src/store/store.js';
import { bareBroker, type BareBroker } from './stubbed.js';
import type { HandClock } from '../clock.js';
import { ACCESS, OTHER_ROLE, ROLE, type MemoryAws } from '../sessions/memory-aws.js';
import { completeTask, resumeTask, suspendTask } from '../verbs.js';
import { exchange } from '../exchanging.js';

export const OPERATOR = 'ops:ops-1';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

export interface SessionBroker {
  deps: BareBroker;
  reconciler: Reconciler;
  /** What the reconciler said happened: `pushed`, `failing`, `recovered`, `drifted`, `leaseLost`, `unreadable`, in order. */
  events: string[];
  /** Under a task of its own unless `taskId` says which; for nine hundred seconds at ROLE. */
  mint: (workload: string, wish?: MintWish) => Promise<Issued>;
  open: (workload: string, wish?: { parent?: string; principal?: string; deadlineSeconds?: number }) => Promise<string>;
  complete: (taskId: string) => Promise<unknown>;
  suspend: (taskId: string) => Promise<unknown>;
  resume: (taskId: string) => Promise<unknown>;
  revoke: (kind: SelectorKind, value: string, effect: Effect) => Promise<LogEntry>;
  /** How far the death of this credential has come. */
  end: (credential: Pick<Credential, 'id'>) => Promise<SessionEffect | undefined>;
  /** What the schedule does each second. */
  work: () => Promise<void>;
}

export interface MintWish {
  role?: string;
  taskId?: string;
  person?: string;
  lifetimeSeconds?: number;
  access?: Access[];
}

interface World {
  store: Store;
  clock: HandClock;
  aws: MemoryAws;
  /** Distinguishes this broker from others on the same store. */
  node?: string;
  /** Default: it trusts its clock. */
  fitness?: Fitness;
}

export function sessionBroker(world: World): SessionBroker {
  const { store, clock, aws, node = 'one', fitness = believing(clock) } = world;
  const plain = bareBroker(store, clock, 64);
  const deps: BareBroker = {
    ...plain,
    identify: (token) => Promise.resolve(partyOf(token, clock)),
    targets: TARGETS,
    minters: new Map([['aws-sts', aws.minter]]),
    settings: { ...plain.settings, trust: TRUST },
    assertFitToMint: () => fitness.assertFitToMint(),
  };
  const { ledger } = deps;
  const events: string[] = [];
  const reconciler = createReconciler({
    ...{ ledger, node, targets: [ROLE, OTHER_ROLE], enforcer: aws.minter.enforcer },
    events: {
      pushed: () => events.push('pushed'),
      failing: () => events.push('failing'),
      recovered: () => events.push('recovered'),
      drifted: () => events.push('drifted'),
      leaseLost: () => events.push('leaseLost'),
      unreadable: () => events.push('unreadable'),
    },
  });
  const operator = partyOf(OPERATOR, clock);
  const about = (taskId: string) => ({ taskId, requestId: 'r' });
  return {
    deps,
    reconciler,
    events,
    mint: (workload, wish = {}) => mint(deps, workload, wish),
    async open(workload, wish) {
      const request = { workload, purpose: 'triage', requestId: 'r', deadlineSeconds: 7_200, ...wish };
      return (await openTask(deps, operator, request)).task.id;
    },
    complete: (taskId) => completeTask(deps, operator, { ...about(taskId), outcome: 'completed' }),
    suspend: (taskId) => suspendTask(deps, operator, about(taskId)),
    resume: (taskId) => resumeTask(deps, operator, about(taskId)),
    revoke: (kind, value, effect) =>
      revoke(ledger, { selector: { kind, value }, effect, reason: 'test', actor: OPERATOR }),
    async end({ id }) {
      const found = await findCredential(ledger, id);
      return found && sessionEffect(ledger, found);
    },
    async work() {
      await fitness.check();
      if (fitness.maySweep()) await sweep(ledger);
      await reconcileTargets({ ledger, fitness, reconcilers: [reconciler] });
    },
  };
}

/** Turns the clock second by second, and has every broker do each second what its schedule would. */
export async function pass(clock: HandClock, seconds: number, ...brokers: SessionBroker[]): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1_000);
    for (const broker of brokers) await broker.work();
  }
}

/** Waits until an exchange that AWS will never answer has done everything before that call. */
export async function untilMinted(): Promise<undefined> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Nothing is minted for a role until its policy denies everything older, and that moment has passed. */
export const FENCED_SECONDS = 11;

function mint(deps: BareBroker, workload: string, wish: MintWish) {
  const { role = ROLE, taskId, person, lifetimeSeconds = 900, access = ACCESS } = wish;
  const proof = { token: workload, type: JWT };
  return exchange(deps, {
    ...(person === undefined ? { subject: proof } : { subject: { token: person, type: JWT }, actor: proof }),
    ...{ target: role, access, askedAsScope: false, lifetimeSeconds, requestId: 'r' },
    under: taskId === undefined ? { purpose: 'triage' } : { taskId },
  });
}

/** The proof is fresher than any cutoff: here the log alone decides. */
export function partyOf(id: string, clock: HandClock): AuthenticatedCaller {
  const [issuer = '', rest = ''] = id.split(':');
  const times = { proofHash: 'proof', issuedAt: clock.now() + 60_000, expiresAt: clock.now() + 3_600_000 };
  const common = { id, issuer, claims: {}, groups: [] };
  if (issuer === 'staff') return { party: { kind: 'person', ...common }, ...times };
  return { party: { kind: 'workload', owner: rest.split('-')[0] ?? '', subject: runOf(id), ...common }, ...times };
}

/** The subject of a workload here: it has one run. */
export const runOf = (workload: string): string => `${workload}:run-1`;

const believing = (clock: HandClock): Fitness => ({
  check: () => Promise.resolve([]),
  assertFitToMint: () => undefined,
  hasRoomToSpare: () => true,
  maySweep: () => true,
  surelyPast: () => clock.now(),
});

/** One that watches its clock. */
export const watching = (store: Store, clock: HandClock): Fitness =>
  createFitness({ store, clock: watchClock(clock, 5_000), node: 'watching', agreedTime: 'raise' });

const roleTarget = (resource: string) =>
  targetSchema.parse({
    ...{ resource, minter: 'aws-sts' },
    aws: { region: 'eu-central-1', revokerRole: 'arn:aws:iam::111122223333:role/jit-revoker' },
  });

const TARGETS = new Map([ROLE, OTHER_ROLE].map((role) => [role, roleTarget(role)]));

const TRUST = (['lab', 'ci', 'ops', 'staff'] as const).map((name) => ({
  ...{ kind: 'oidc' as const, name, issuer: `https://${name}.example`, claims: [] },
  ...{ represents: name === 'staff' ? ('person' as const) : ('workload' as const), algorithms: ['ES256' as const] },
  workload: ['sub'],
  also: [],
  proofAgeMax: 28_800,
}));
