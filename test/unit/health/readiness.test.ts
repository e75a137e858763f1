/** Readiness: a broker is ready if every condition is met, and each condition that is not met is named. */
import { readFileSync } from 'node:fs';
import { beforeEach, expect, it } from '@jest/globals';
import type { Check } from '../../../src/health/check.js';
import { createReadiness, type Pulse } from '../../../src/health/readiness.js';
import { handClock, type HandClock } from '../../support/clock.js';

let clock: HandClock;
let pulse: Pulse;
let policy: { digest: string };
let fitness: Check[];
let metrics: Map<string, boolean>;
let failingTargets: Set<string>;
let behind: Map<string, number>;
let troubles: Map<string, string>;
let mistakes: string[];
let outage: string | undefined;
let others: string[];

beforeEach(() => {
  clock = handClock();
  pulse = { auditFollows: true, draining: false, swept: { at: clock.now(), lagMs: 0 } };
  policy = { digest: 'x' };
  fitness = [{ name: 'store', ok: true }];
  metrics = new Map();
  failingTargets = new Set();
  behind = new Map();
  troubles = new Map();
  mistakes = [];
  outage = undefined;
  others = [];
});

function checks(): Promise<Check[]> {
  const check = () => Promise.resolve(fitness);
  const ready = (name: string, ok: boolean) => void metrics.set(name, ok);
  const policies = { mistakes: () => mistakes, outage: () => outage, others: () => others };
  const watched = { failingTargets, behind, troubles, policies };
  const parts = { fitness: { check }, policy, pulse, clock, metrics: { ready }, ...watched };
  return createReadiness(parts)();
}

const failing = async (): Promise<string[]> => (await checks()).flatMap(({ ok, name }) => (ok ? [] : [name]));

it('has alerts that wake nobody for what only degrades a broker', async () => {
  const degrading = (await checks()).flatMap(({ name, degrades }) => (degrades ? [name] : [])).join('|');
  const alerts = readFileSync('docs/alerts.yml', 'utf8');
  expect(alerts).toContain(`expr: mayfly_readiness{check=~"${degrading}"} == 0`);
  expect(alerts).toContain(`expr: mayfly_readiness{check!~"${degrading}|running"} == 0`);
});

it('holds when everything does, and the metrics say the same', async () => {
  expect(await failing()).toEqual([]);
  const degrading = ['targets', 'issuers', 'policy-files', 'policy-agreement', 'webhooks'];
  const names = ['store', 'policy', 'sweep', 'audit', 'running', ...degrading];
  expect([...metrics]).toEqual(names.map((name) => [name, true]));
});

it.each<[string, () => void]>([
  ['store', () => (fitness = [{ name: 'store', ok: false, reason: 'gone' }])],
  ['policy', () => (policy = { digest: '' })],
  ['policy', () => (outage = 'OPA does not answer')],
  ['sweep', () => delete pulse.swept],
  ['sweep', () => clock.advance(10_000)],
  ['sweep', () => (pulse.swept = { at: clock.now(), lagMs: 10_000 })],
  ['audit', () => (pulse.auditFollows = false)],
  ['running', () => (pulse.draining = true)],
  ['targets', () => failingTargets.add('arn:aws:iam::111122223333:role/jit/agent')],
  ['issuers', () => troubles.set('lab', 'it is down')],
  ['policy-files', () => mistakes.push('a.cedar:2: has no @id')],
  ['policy-agreement', () => others.push('0'.repeat(43))],
  ['webhooks', () => behind.set('siem', 301)],
])('does not hold without %s', async (name, break_) => {
  break_();
  expect(await failing()).toEqual([name]);
  expect(metrics.get(name)).toBe(false);
});
