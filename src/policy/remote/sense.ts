/** Which queries another engine is asked at all. It knows neither the configuration nor what a pattern is, and might permit them. */
import { isPattern, pathProblem } from '../../domain/access.js';
import type { OperatorVerb, PolicyQuery, PolicyResource } from '../query.js';
import type { ToldTarget } from './question.js';

interface Sense {
  /** The actions that can be granted. */
  actions: ReadonlySet<string>;
  targets: ReadonlyMap<string, ToldTarget>;
  patterns: 'refuse' | 'ask';
}

/** What each verb is about. */
const ABOUT: Readonly<Record<OperatorVerb, PolicyResource['type']>> = {
  openTask: 'task',
  completeTask: 'task',
  suspendTask: 'task',
  resumeTask: 'task',
  heartbeat: 'task',
  readTask: 'task',
  completeRun: 'broker',
  introspect: 'target',
  evaluate: 'target',
  assertProperties: 'target',
  reportUsage: 'target',
  revoke: 'broker',
  readRevocations: 'broker',
  readCredential: 'broker',
  readAudit: 'broker',
  sendSignal: 'broker',
  followFeed: 'broker',
  approve: 'approval',
  breakGlass: 'approval',
};

const about: ReadonlyMap<string, PolicyResource['type']> = new Map(Object.entries(ABOUT));

export const isVerb = (action: string): boolean => about.has(action);

/** Returns whether the query is one that policies are written for; any other is refused without a question. */
export function makesSense({ action, resource, context }: PolicyQuery, sense: Sense): boolean {
  const served = context.kind === 'access' ? context.onBehalfOf : context.opening?.onBehalfOf;
  if (served?.kind === 'workload') return false;
  if ((resource.type === 'resource' || resource.type === 'target') && !sense.targets.has(resource.target)) return false;
  if (context.kind === 'operate') return about.get(action) === resource.type;
  if (!sense.actions.has(action) || resource.type !== 'resource') return false;
  if (pathProblem(resource.path) !== undefined) return false;
  return sense.patterns === 'ask' || !isPattern(resource.path);
}
