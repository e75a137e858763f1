/**
 * Which questions are the same question. Nothing of a named path reaches a decision but where it lies among the paths that
 * policies name and the labels (`KnownTarget.cuts`), so every incident of a thousand is asked about once.
 */
import { covers, isPattern, pathProblem } from '../../domain/access.js';
import type { KnownTarget } from './entities.js';
import type { PolicyQuery, PolicyResource } from '../query.js';

/** Members in another order make another key: a needless miss, never a wrong hit. */
export const questionKey = (query: PolicyQuery, targets: ReadonlyMap<string, KnownTarget>): string =>
  JSON.stringify({ ...query, resource: placed(query.resource, targets) });

function placed(resource: PolicyResource, targets: ReadonlyMap<string, KnownTarget>): unknown {
  if (resource.type !== 'resource') return resource;
  const { target, path } = resource;
  const cuts = targets.get(target)?.cuts;
  // A pattern is decided by its parts, and what is no path at all is refused.
  if (!cuts || isPattern(path) || pathProblem(path) !== undefined) return resource;
  return { type: 'resource', target, within: cuts.flatMap((cut, index) => (covers(cut, path) ? [index] : [])) };
}
