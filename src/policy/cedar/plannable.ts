/** A policy set beside the configuration: what a plan of a query depends on. */
import { partyKey, type KnownTarget } from './entities.js';
import { splitResourceId, type Configured, type PolicyTarget } from './fit.js';
import type { PolicySet } from './load-policies.js';
import { allMentions } from './mentions.js';
import type { Plannable } from './plan.js';

export const plannableOf = (set: PolicySet, { targets }: Configured, hasOtherPurposes: boolean): Plannable => ({
  set,
  hasOtherPurposes,
  targets: new Map(targets.map((target) => [target.resource, knownTarget(target, set)])),
  groups: new Set(
    set.policies.flatMap(({ literals }) => literals.flatMap(({ type, id }) => (type === 'Group' ? [id] : []))),
  ),
  parties: new Set(set.policies.flatMap(({ literals }) => literals.flatMap((one) => partyKey(one) ?? []))),
  mentions: allMentions(set.policies.map(({ mentions }) => mentions)),
});

/**
 * Returns the target with the paths at which verdicts can change. A path that a policy names counts twice: as itself, and,
 * because of `in`, as everything below it.
 */
function knownTarget(target: PolicyTarget, { policies }: PolicySet): KnownTarget {
  const named = new Set<string>();
  for (const { type, id } of policies.flatMap(({ literals }) => literals)) {
    const [resource, path] = splitResourceId(id);
    if (type === 'Resource' && resource === target.resource && path !== undefined) named.add(path);
  }
  const labelled = target.labels.map(({ match }) => match);
  return { ...target, named, cuts: [...new Set([...labelled, ...[...named].flatMap((path) => [path, `${path}/**`])])] };
}
