/**
 * Holds a policy against the configuration. A guard about a target, issuer, team, claim or value that is nowhere never applies, and
 * nobody would notice: whatever the configuration lists, a policy may only name as it is listed.
 */
import type { Target, Config } from '../../config/schema.js';
import type { Trust } from '../../config/trust-schema.js';
import { defined } from '../../domain/defined.js';
import { isPattern, pathProblem } from '../../domain/access.js';
import { nameProblem } from '../../domain/name.js';
import { nearNames } from '../../domain/near-names.js';
import { EFFECTS, SELECTOR_KINDS } from '../../domain/selector.js';
import { LEVELS } from '../../domain/signal.js';
import { taskSchema } from '../../domain/task.js';
import { couldBe } from '../../identity/party-from-id.js';
import type { PolicyProblem } from '../policy-engine.js';
import type { TypeAndId } from './cedar-wasm.js';
import type { Policy } from './policy-file.js';
import { lineAt } from './problem.js';
import { valuesIn, type Compared, type Tagged } from './values.js';

/** The facts about a target that policies may test. */
export type PolicyTarget = Pick<Target, 'resource' | 'labels' | 'tags'>;

/** What of the configuration policies speak of. */
export interface Configured extends Pick<Config, 'trust' | 'purposes'> {
  targets: readonly PolicyTarget[];
}

/** What is wrong with a policy, or is worth a note. */
interface Misfit extends PolicyProblem {
  /** The policy is sound, and waits for a target to have labels, or tags, at all. */
  waits?: true;
}

export function misfits(policy: Policy, configured: Configured): Misfit[] {
  const { compared, tagged } = valuesIn(policy.json.conditions);
  return [
    ...policy.literals.flatMap((literal) => {
      const problem = literalProblem(literal, configured);
      return problem === undefined ? [] : [problemAt(policy, literal.id, `${nameOf(literal)} ${problem}`)];
    }),
    ...compared.flatMap((one) => {
      const problem = valueProblem(one, configured);
      if (problem === undefined) return [];
      const waits = one.attribute === 'sensitivity' && labelsOf(configured).length === 0;
      return [defined({ ...problemAt(policy, one.text, problem), waits: waits || undefined })];
    }),
    ...tagged.flatMap((one) => {
      const problem = tagProblem(one, configured);
      if (problem === undefined) return [];
      const waits = one.holder === 'target' && tagsOf(configured).length === 0;
      return [defined({ ...problemAt(policy, one.tag, problem), waits: waits || undefined })];
    }),
  ];
}

/** At the line of the first place in the policy that has this text. */
function problemAt({ file, line, text }: Policy, about: string, reason: string): PolicyProblem {
  const at = text.indexOf(`"${about}"`);
  return { file, line: at < 0 ? line : line - 1 + lineAt(text, Buffer.byteLength(text.slice(0, at))), reason };
}

const nameOf = ({ type, id }: TypeAndId): string => `${type}::"${id}"`;

export function literalProblem({ type, id }: TypeAndId, { targets, trust }: Configured): string | undefined {
  switch (type) {
    case 'Workload':
      return unnamed(id) ?? partyProblem(trust, 'workload', id);
    case 'Person':
      return unnamed(id) ?? partyProblem(trust, 'person', id);
    case 'Owner':
      return unnamed(id) ?? unlisted(id, teamsOf(trust), 'is the team of nobody; the configuration gives');
    case 'Group':
      return unnamed(id) ?? (hasGroups(trust) ? undefined : 'is the group of nobody: no trust[] entry has groups');
    case 'Issuer':
      return unlisted(id, trust.map(({ name }) => name), 'names no entry of trust[]; there are'); // prettier-ignore
    case 'Target':
      return targetProblem(id, targets);
    case 'Resource':
      return resourceProblem(id, targets);
    default:
      return undefined;
  }
}

function unnamed(id: string): string | undefined {
  const problem = nameProblem(id);
  return problem && `${problem}: no token can name it`;
}

function partyProblem(trust: readonly Trust[], kind: 'workload' | 'person', id: string): string | undefined {
  if (couldBe(trust, kind, id)) return undefined;
  const names = trust.map(({ name }) => name);
  const isNamed = names.some((name) => id.startsWith(`${name}:`));
  const meant = isNamed ? [] : names.map((name) => `${name}:${id}`).filter((one) => couldBe(trust, kind, one));
  return `is nobody: no trust[] entry can prove that id of a ${kind}, which reads <trust name>:<subject> or spiffe://…${orSuggestion(meant)}`;
}

/** Returns all teams that a workload can have; undefined if tokens name them. */
function teamsOf(trust: readonly Trust[]): string[] | undefined {
  const owners = trust.flatMap(({ owner }) => owner ?? []);
  return owners.every((owner) => 'value' in owner) ? owners.map(({ value }) => value) : undefined;
}

const hasGroups = (trust: readonly Trust[]): boolean => trust.some((one) => 'groups' in one && one.groups);

function targetProblem(id: string, targets: readonly PolicyTarget[]): string | undefined {
  const resources = targets.map(({ resource }) => resource);
  if (resources.includes(id)) return undefined;
  return `names a target that is not configured${orSuggestion(nearNames(id, resources))}`;
}

function resourceProblem(id: string, targets: readonly PolicyTarget[]): string | undefined {
  const [target, path] = splitResourceId(id);
  if (path === undefined) return 'is not "<target>#<path>"';
  const problem = targetProblem(target, targets);
  if (problem !== undefined) return problem;
  if (isPattern(path))
    return 'is a pattern; name the path above it with "in", or label the pattern in the configuration';
  const malformed = pathProblem(path);
  return malformed && `has a path that ${malformed}`;
}

/**
 * Returns the target and the path of a resource id. A target is a URI without a fragment, so the first `#` separates it
 * from the path.
 */
export function splitResourceId(id: string): [target: string, path: string | undefined] {
  const at = id.indexOf('#');
  return at < 0 ? [id, undefined] : [id.slice(0, at), id.slice(at + 1)];
}

export function valueProblem({ of, attribute, text, holdsFor }: Compared, configured: Configured): string | undefined {
  const values = valuesOf(of, attribute, configured);
  if (!values || values.some(holdsFor)) return undefined;
  const name = of === undefined ? attribute : `${of}.${attribute}`;
  return `${name} is never "${text}"; ${listed(text, values, 'there is')}`;
}

/** Returns the values that the attribute can have; undefined where it can have any. */
function valuesOf(of: string | undefined, attribute: string, configured: Configured): readonly string[] | undefined {
  const { purposes, trust } = configured;
  if (of === 'context' && Object.hasOwn(ENUMERATED, attribute)) return ENUMERATED[attribute];
  switch (attribute) {
    case 'purpose':
      return purposes && Object.keys(purposes);
    case 'sensitivity':
      return labelsOf(configured);
    case 'unread':
      return claimsOf(trust);
    default:
      return undefined;
  }
}

const labelsOf = ({ targets }: Configured): string[] =>
  targets.flatMap(({ labels }) => labels.flatMap(({ sensitivity }) => sensitivity));

const tagsOf = ({ targets }: Configured): string[] => targets.flatMap(({ tags }) => Object.keys(tags));

/** The attributes of a context whose values the broker itself chooses. */
const ENUMERATED: Readonly<Record<string, readonly string[]>> = {
  risk: LEVELS,
  purposeFrom: taskSchema.shape.purposeFrom.options,
  kind: SELECTOR_KINDS,
  effect: [...EFFECTS, 'lift'],
};

/** Returns the claims that are read for policy, and with them those that list groups: these can be unread too. */
const claimsOf = (trust: readonly Trust[]): string[] =>
  trust.flatMap((one) => ('claims' in one ? [...one.claims, ...(one.groups ? [one.groups.claim] : [])] : []));

export function tagProblem({ holder, tag }: Tagged, configured: Configured): string | undefined {
  if (holder === 'given') return undefined;
  const claims = configured.trust.flatMap((one) => ('claims' in one ? one.claims : []));
  const tags = tagsOf(configured);
  const [where, names] =
    holder === 'target'
      ? ['targets[].tags', tags]
      : ['trust[].claims', holder === 'party' ? claims : [...claims, ...tags]];
  return unlisted(tag, names, `the tag "${tag}" is nowhere; ${where} has`);
}

/** @param before Stands before the list. */
function unlisted(text: string, names: readonly string[] | undefined, before: string): string | undefined {
  return !names || names.includes(text) ? undefined : listed(text, names, before);
}

const LISTED_AT_MOST = 12;

function listed(text: string, names: readonly string[], before: string): string {
  const all = [...new Set(names)];
  const shown = all.slice(0, LISTED_AT_MOST).join(', ') || 'none';
  const more = all.length > LISTED_AT_MOST ? ` and ${all.length - LISTED_AT_MOST} more` : '';
  return `${before} ${shown}${more}${orSuggestion(nearNames(text, all))}`;
}

const orSuggestion = (names: readonly string[]): string =>
  names.length > 0 ? `; did you mean ${names.slice(0, 3).join(' or ')}?` : '';
