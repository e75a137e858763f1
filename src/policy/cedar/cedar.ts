/** The embedded policy engine: Cedar over a directory of policies, which is read as a whole at start and on reload. */
import PQueue from 'p-queue';
import type { PolicyEngine, PolicyReload, Verdict } from '../policy-engine.js';
import type { PolicyQuery } from '../query.js';
import { preparsePolicySet, statefulIsAuthorized, type Context } from './cedar-wasm.js';
import { contextOf, termsOf } from './context.js';
import { partyEntities, partyUid, subjectsOf, type KnownTarget, type Subject } from './entities.js';
import { loadPolicies, splitResourceId, type PolicySet, type PolicyTarget } from './load-policies.js';
import { problemText } from './problem.js';
import { queryKey, verdictCache, type VerdictCache } from './verdict-cache.js';
import { settle, type Answer } from './ways-out.js';

interface CedarOptions {
  directory: string;
  targets: readonly PolicyTarget[];
  /** A verdict takes about a kilobyte. */
  maxCachedVerdicts: number;
}

interface InForce {
  set: PolicySet;
  /** Names the parsed set inside the Cedar library. The library never frees one, so an engine always reuses its own name. */
  name: string;
  rules: ReadonlyMap<string, PolicySet['policies'][number]['rule']>;
  targets: ReadonlyMap<string, KnownTarget>;
  cache: VerdictCache;
}

let engines = 0;

export async function createCedarEngine(options: CedarOptions): Promise<PolicyEngine> {
  const name = `policies-${(engines += 1)}`;
  const { set, problems } = await loadPolicies(options.directory, options.targets);
  if (!set) throw new Error(`the policies cannot be used:\n${problems.map(problemText).join('\n')}`);
  let now = putInForce(name, set, options);
  // Reloads run one after the other: an older reading must not win over a newer one.
  const reloads = new PQueue({ concurrency: 1 });

  async function reloadOnce(): Promise<PolicyReload> {
    const loaded = await loadPolicies(options.directory, options.targets);
    if (!loaded.set) return { digest: now.set.digest, problems: loaded.problems };
    now = putInForce(name, loaded.set, options);
    return { digest: now.set.digest, problems: [] };
  }

  return {
    // eslint-disable-next-line @typescript-eslint/require-await -- an error must reject the promise that the port returns
    decide: async (query) => now.cache.remember(queryKey(query, now.targets), () => decide(now, query)),
    isGrantable: (action) => now.set.schema.actions.get(action)?.grantable ?? false,
    get digest() {
      return now.set.digest;
    },
    reload: () => reloads.add(reloadOnce),
  };
}

function putInForce(name: string, set: PolicySet, { targets, maxCachedVerdicts }: CedarOptions): InForce {
  const staticPolicies = Object.fromEntries(set.policies.map(({ id, text }) => [id, text]));
  const answer = preparsePolicySet(name, { staticPolicies });
  if (answer.type === 'failure') throw new Error('Cedar refuses policies it has validated');
  return {
    set,
    name,
    rules: new Map(set.policies.map(({ id, rule }) => [id, rule])),
    targets: new Map(targets.map((target) => [target.resource, { ...target, cuts: cutsOf(target, set) }])),
    cache: verdictCache(maxCachedVerdicts),
  };
}

/**
 * Returns the paths at which verdicts can change. A path that a policy names counts twice: as itself, and, because of `in`,
 * as everything below it.
 */
function cutsOf(target: PolicyTarget, { policies }: PolicySet): string[] {
  const cuts = new Set(target.labels.map(({ match }) => match));
  for (const { type, id } of policies.flatMap(({ literals }) => literals)) {
    const [resource, path] = splitResourceId(id);
    if (type !== 'Resource' || resource !== target.resource || path === undefined) continue;
    cuts.add(path).add(`${path}/**`);
  }
  return [...cuts];
}

function decide(now: InForce, query: PolicyQuery): Verdict {
  const { digest } = now.set;
  const action = now.set.schema.actions.get(query.action);
  const subjects = subjectsOf(query.resource, now.targets);
  const [first] = subjects ?? [];
  const known = action?.principals.has(partyUid(query.principal).type) && first && action.resources.has(first.uid.type);
  const context = contextOf(query, termsOf(query));
  const fits = action?.grantable === (query.context.kind === 'access');
  // Refuse what the schema does not describe: a permit without conditions must not reach further than its author could know.
  if (!known || !fits || !subjects || !context) return { outcome: 'deny', policies: [], digest };
  const around = [...action.entities, ...partyEntities(query)];
  const verdict = settle(
    function* (terms) {
      for (const subject of subjects) yield ask(now.name, query, subject, contextOf(query, terms) ?? context, around);
    },
    now.rules,
    termsOf(query),
  );
  return { ...verdict, digest };
}

function ask(
  name: string,
  { principal, action }: PolicyQuery,
  { uid, entities }: Subject,
  context: Context,
  around: Subject['entities'],
): Answer {
  const answer = statefulIsAuthorized({
    principal: partyUid(principal),
    action: { type: 'Action', id: action },
    resource: uid,
    context,
    preparsedPolicySetId: name,
    validateRequest: false,
    entities: [...around, ...entities],
  });
  if (answer.type === 'failure') return { allowed: false, failed: true, policies: [] };
  const { reason, errors } = answer.response.diagnostics;
  // Cedar skips a policy whose evaluation fails. It may have been a forbid, so the answer counts as failed.
  if (errors.length > 0) return { allowed: false, failed: true, policies: errors.map(({ policyId }) => policyId) };
  return { allowed: answer.response.decision === 'allow', failed: false, policies: reason };
}
