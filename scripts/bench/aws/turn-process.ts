/** Turns of the reconciler in a process of its own, so that the first is cold and only its own CPU time counts: BENCH_TURNS. */
import type { StoreLocation } from '../../../src/config/store-location.js';
import { denyPolicy, denyPolicyFill } from '../../../src/minters/aws/deny-policy.js';
import type { Enforcer } from '../../../src/minters/minter.js';
import { createReconciler } from '../../../src/enforcement/reconcile.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { cpuMicroseconds } from '../child.js';
import { openLedger } from '../seed.js';
import { ROLE } from './account.js';
import { seedSessions, type Seeded } from './seed.js';

export interface TurnSettings {
  store: StoreLocation;
  /** How many ids are denied before the first turn; each turn adds one. */
  denied: number;
  turns: number;
  /** Undefined when the store is in this process. */
  storePid?: number;
}

export interface TurnFindings {
  /** CPU milliseconds of each turn, the cold one first. */
  cpuMs: number[];
  /** CPU milliseconds of the store's process per turn, on average, if the store has a process of its own. */
  storeCpuMs?: number;
  characters: number;
}

const { store, denied, turns, storePid } = JSON.parse(process.env['BENCH_TURNS'] ?? '') as TurnSettings;
const { ledger, close } = await openLedger(store, 'bench-turns:');
const sessions = await seedSessions(ledger, denied + turns);
const end = ({ id }: Seeded) =>
  revoke(ledger, { selector: { kind: 'credential', value: id }, effect: 'end', reason: 'benchmark', actor: 'bench' });
for (const session of sessions.splice(0, denied)) await end(session);

let rendered = '';
let written = 0;
const enforcer: Enforcer = {
  // Half of the real fill: so many single ids are more than a role holds, and the broker would compact them.
  fill: (_target, denials) => denyPolicyFill(denials) / 2,
  enforce(_target, denials, fence) {
    rendered = denyPolicy(denials, fence) ?? '';
    written += 1;
    return Promise.resolve();
  },
  clockAgrees: () => true,
  isInForce: () => Promise.resolve(true),
};
const quiet = () => undefined;
const events = {
  pushed: quiet,
  failing: quiet,
  recovered: quiet,
  drifted: quiet,
  leaseLost: quiet,
  unreadable: quiet,
};
// A second passes between turns: a target is written to no more often, so most turns would only wait.
let passed = 0;
const clock = { ...ledger.clock, elapsed: () => ledger.clock.elapsed() + passed };
const reconciler = createReconciler({ ledger: { ...ledger, clock }, enforcer, events, targets: [ROLE], node: 'bench' });

const cpuMs: number[] = [];
const storeFrom = cpuMicroseconds(storePid ?? NaN);
for (const session of sessions) {
  await end(session);
  passed += 1_000;
  const from = process.cpuUsage();
  await reconciler.run(ledger.clock.now());
  const { user, system } = process.cpuUsage(from);
  cpuMs.push((user + system) / 1_000);
}
if (written !== turns) throw new Error(`${written} writes in ${turns} turns`);
const findings: TurnFindings = {
  cpuMs,
  ...(storePid !== undefined && { storeCpuMs: (cpuMicroseconds(storePid) - storeFrom) / 1_000 / turns }),
  characters: rendered.length,
};
process.stdout.write(JSON.stringify(findings));
await close();
