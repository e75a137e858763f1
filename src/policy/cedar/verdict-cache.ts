/**
 * Caches verdicts, the least recently used go first. Sound because the engine is pure, the key holds all of the query that can
 * reach a decision, and every policy set has a cache of its own.
 */
import { LRUCache } from 'lru-cache';
import { covers, isPattern, pathProblem } from '../../domain/access.js';
import type { Verdict } from '../policy-engine.js';
import type { PolicyQuery, PolicyResource } from '../query.js';
import type { KnownTarget } from './entities.js';

export interface VerdictCache {
  /** Returns the verdict cached under this key; otherwise what `decide` answers, which is cached. */
  remember(key: string, decide: () => Verdict): Verdict;
}

/** @param verdictsMax 0 caches nothing */
export function verdictCache(verdictsMax: number): VerdictCache {
  if (verdictsMax === 0) return { remember: (_, decide) => decide() };
  const verdicts = new LRUCache<string, Verdict>({ max: verdictsMax });
  return {
    remember(key, decide) {
      const cached = verdicts.get(key);
      if (cached) return cached;
      const verdict = frozen(decide());
      verdicts.set(key, verdict);
      return verdict;
    },
  };
}

/** Callers share the object. */
function frozen(verdict: Verdict): Verdict {
  Object.freeze(verdict.policies);
  if (verdict.approvals) Object.freeze(verdict.approvals);
  return Object.freeze(verdict);
}

/**
 * Returns a key that is equal for queries that must have the same verdict. Of a concrete path only its place among the
 * paths that policies name and the labels (`KnownTarget.cuts`) can reach a decision, so a thousand incidents that no policy
 * distinguishes share one verdict. Members in another order make another key: a needless miss, never a wrong hit.
 */
export const queryKey = (query: PolicyQuery, targets: ReadonlyMap<string, KnownTarget>): string =>
  JSON.stringify({ ...query, resource: placed(query.resource, targets) });

function placed(resource: PolicyResource, targets: ReadonlyMap<string, KnownTarget>): unknown {
  if (resource.type !== 'resource') return resource;
  const { target, path } = resource;
  const cuts = targets.get(target)?.cuts;
  // A pattern is decided part by part, and what is not a path is refused: neither has one place among the cuts.
  if (!cuts || isPattern(path) || pathProblem(path) !== undefined) return resource;
  return { type: 'resource', target, within: cuts.flatMap((cut, index) => (covers(cut, path) ? [index] : [])) };
}
