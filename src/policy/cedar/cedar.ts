/** The embedded policy engine: Cedar over a directory of policies, which is read as a whole at start and on reload. */
import PQueue from 'p-queue';
import type { PolicyEngine, PolicyReload, Verdict } from '../policy-engine.js';
import type { PolicyQuery } from '../query.js';
import { explained, forAnyPurpose } from './because.js';
import type { Context } from './cedar-wasm.js';
import { termsOf } from './context.js';
import { partyUid } from './entities.js';
import type { Configured } from './fit.js';
import { loadPolicies, policyFilesDigest, type PolicySet } from './load-policies.js';
import { evaluationsOf, planner, type Plan, type Plannable, type Planned } from './plan.js';
import { plannableOf } from './plannable.js';
import { problemText } from './problem.js';
import { forget, setsOf, type NamedPolicy, type Sets } from './sets.js';
import { takeTurns, type Turns } from './turns.js';
import { verdictCache, type VerdictCache } from './verdict-cache.js';
import { settle, type Answer } from './ways-out.js';

interface CedarOptions {
  directory: string;
  configured: Configured;
  /** A verdict takes about a kilobyte. */
  maxCachedVerdicts: number;
  /** Called before each evaluation. */
  onEvaluation?: () => void;
}

interface InForce extends Plannable {
  sets: Sets;
  /** The permits as they read for any purpose. Absent if no permit is about the purpose. */
  permitsForAnyPurpose?: Sets | undefined;
  rules: ReadonlyMap<string, PolicySet['policies'][number]['rule']>;
  cache: VerdictCache;
  planOf: (query: PolicyQuery) => Planned;
  /** A query is planned once, when its evaluations are counted. */
  plans: WeakMap<PolicyQuery, Planned>;
  onEvaluation: () => void;
}

/** A question takes some three kilobytes. */
const QUESTIONS_KEPT = 2_000;

let engines = 0;

export async function createCedarEngine(options: CedarOptions): Promise<PolicyEngine> {
  const name = `policies-${(engines += 1)}`;
  const { set, problems } = await loadPolicies(options.directory, options.configured);
  if (!set) throw new Error(`the policies cannot be used:\n${problems.map(problemText).join('\n')}`);
  let now = putInForce(name, set, options);
  // Reloads run one after the other: an older reading must not win over a newer one.
  const reloads = new PQueue({ concurrency: 1 });
  const turns = takeTurns();

  async function reloadOnce(): Promise<PolicyReload> {
    const loaded = await loadPolicies(options.directory, options.configured);
    if (!loaded.set) return { digest: now.set.digest, problems: loaded.problems };
    // Equal policies leave the verdicts that are remembered.
    if (loaded.set.digest === now.set.digest) return { digest: now.set.digest, problems: [] };
    const before = now;
    now = putInForce(name, loaded.set, options);
    forgetUnnamed(before, now);
    return { digest: now.set.digest, problems: [] };
  }

  /** Cedar knows one set by the name of the engine. If it is replaced while a query is evaluated, the query is decided anew. */
  async function decideByOneSet(query: PolicyQuery): Promise<Verdict> {
    for (;;) {
      const before = now;
      const verdict = await decide(before, query, turns);
      if (now === before) return verdict;
    }
  }

  return {
    decide: decideByOneSet,
    atOnce: 1,
    evaluationsOf: (queries) => evaluationsOf(plansOf(now, queries)),
    isGrantable: (action) => now.set.schema.actions.get(action)?.grantable ?? false,
    get digest() {
      return now.set.digest;
    },
    reload: () => reloads.add(reloadOnce),
    source: () => policyFilesDigest(options.directory),
  };
}

function putInForce(name: string, set: PolicySet, options: CedarOptions): InForce {
  const { configured, maxCachedVerdicts, onEvaluation = () => undefined } = options;
  const permits = permitsForAnyPurpose(set);
  const sets = setsOf(name, set.policies);
  const anyPurpose = permits.length > 0 ? setsOf(`${name} for any purpose`, permits) : undefined;
  const plannable = plannableOf(set, configured, anyPurpose !== undefined);
  return {
    ...plannable,
    sets,
    permitsForAnyPurpose: anyPurpose,
    rules: new Map(set.policies.map(({ id, rule }) => [id, rule])),
    planOf: planner(plannable, Math.min(maxCachedVerdicts, QUESTIONS_KEPT)),
    cache: verdictCache(maxCachedVerdicts),
    plans: new WeakMap(),
    onEvaluation,
  };
}

function forgetUnnamed(before: InForce, now: InForce): void {
  forget(before.sets, now.sets);
  if (before.permitsForAnyPurpose) forget(before.permitsForAnyPurpose, now.permitsForAnyPurpose ?? now.sets);
}

/** Those that callers may not know of are left out. */
const permitsForAnyPurpose = ({ policies }: PolicySet): NamedPolicy[] =>
  policies.flatMap(({ id, rule, json }) => {
    const permit = rule.effect === 'permit' && !rule.secret ? forAnyPurpose(json) : undefined;
    return permit ? [{ id, json: permit }] : [];
  });

function* plansOf(now: InForce, queries: readonly PolicyQuery[]): Generator<Planned> {
  for (const query of queries) yield planned(now, query);
}

function planned(now: InForce, query: PolicyQuery): Planned {
  const plan = now.plans.get(query) ?? now.planOf(query);
  now.plans.set(query, plan);
  return plan;
}

async function decide(now: InForce, query: PolicyQuery, turns: Turns): Promise<Verdict> {
  const plan = planned(now, query);
  if (typeof plan === 'string' || evaluationsOf([plan]) === undefined)
    return { outcome: 'deny', policies: [], because: { why: 'no-permit', policies: [] }, digest: now.set.digest };
  // A verb is one resource, and it may end something: it waits for nobody.
  return now.cache.remember(plan.key, () =>
    query.context.kind === 'access'
      ? turns.run(plan.evaluations, (pause) => evaluate(now, query, plan, pause))
      : evaluate(now, query, plan, () => Promise.resolve()),
  );
}

async function evaluate(now: InForce, query: PolicyQuery, plan: Plan, pause: () => Promise<void>): Promise<Verdict> {
  let askAgain: ((sets: Sets) => Answer) | undefined;
  const settled = await settle(
    async function* (terms) {
      const context = plan.contextUnder(terms);
      for (const subject of plan.subjects) {
        await pause();
        askAgain = (sets) => {
          now.onEvaluation();
          return ask(sets, query, subject, context, plan.around);
        };
        yield askAgain(now.sets);
      }
    },
    now.rules,
    termsOf(query),
  );
  const { rules, permitsForAnyPurpose: anyPurpose } = now;
  // Of what was asked last no permit applied.
  const underOtherPurpose = () => {
    const answer = anyPurpose && askAgain?.(anyPurpose);
    return answer?.allowed ? answer.policies : [];
  };
  return { ...explained(settled, { rules, underOtherPurpose }), digest: now.set.digest };
}

function ask(
  sets: Sets,
  { principal, action }: PolicyQuery,
  { uid, entities }: Plan['subjects'][number],
  context: Context,
  around: Plan['around'],
): Answer {
  return sets.ask({
    principal: partyUid(principal),
    action: { type: 'Action', id: action },
    resource: uid,
    context,
    entities: [...around, ...entities],
  });
}
