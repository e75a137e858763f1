/**
 * Builds the Cedar entities of a query: the parties, the resource, and facts about both. Facts about targets come only from the
 * configuration. Of paths and groups only those are kept that a policy names: Cedar can ask about an id only by naming it, so
 * two paths that no policy and no label tells apart become one and the same entity, and are evaluated once.
 */
import { covers, isPattern, overlaps, pathProblem, sensitivityOf } from '../../domain/access.js';
import type { Given, KnownClaims, PartyRef, RememberedPerson } from '../../domain/party.js';
import type { ApprovalFacts, PolicyQuery, PolicyResource, TaskFacts } from '../query.js';
import type { CedarValueJson, EntityJson, TypeAndId } from './cedar-wasm.js';
import type { PolicyTarget } from './fit.js';
import { partsOf } from './patterns.js';

/**
 * A target with its cuts: the paths that policies name and the patterns of its labels. Only there can verdicts on its paths
 * differ.
 */
export interface KnownTarget extends PolicyTarget {
  cuts: readonly string[];
  /** The paths that policies name. */
  named: ReadonlySet<string>;
}

/** The resource of one authorization call. A pattern needs several calls. */
export interface Subject {
  /** All that `tell` depends on, as text: subjects of the same text are told alike. */
  text: string;
  /** Returns the resource with its entities, as Cedar is told of it. */
  tell: () => { uid: TypeAndId; entities: EntityJson[] };
}

/**
 * Returns the subjects of a query; undefined when the resource is malformed, which counts as a refusal, and `too-many` when
 * its pattern has too many parts.
 */
export function subjectsOf(
  resource: PolicyResource,
  targets: ReadonlyMap<string, KnownTarget>,
): Subject[] | 'too-many' | undefined {
  switch (resource.type) {
    case 'resource':
      return pathSubjects(resource.path, targets.get(resource.target));
    case 'target': {
      const target = targets.get(resource.target);
      return target && [alone(targetEntity(target))];
    }
    case 'task':
      return [taskSubject(resource.task)];
    case 'approval':
      return approvalSubjects(resource.approval, targets.get(resource.approval.target));
    case 'broker':
      return [alone(entity('Broker', 'self'))];
    default:
      return undefined;
  }
}

/**
 * Returns the entities of all parties that the query names. Only a party whose token was verified, now or earlier in the task,
 * has tags and groups. Groups that no policy names are left out, and none of these is wanted for an approval.
 */
export function partyEntities(
  { principal, context, resource }: PolicyQuery,
  namedGroups: ReadonlySet<string>,
): EntityJson[] {
  const task = resource.type === 'task' ? resource.task : undefined;
  const approval = resource.type === 'approval' ? resource.approval : undefined;
  const groups = approval ? new Set([...namedGroups, approval.group]) : namedGroups;
  const named: (Mentioned | undefined)[] = [principal, task?.workload, task?.openedBy];
  named.push(approval?.workload, approval?.onBehalfOf);
  if (context.kind === 'access') named.push(context.openedBy);
  const { onBehalfOf, delegatedBy, chain = [] } = (context.kind === 'access' ? context : context.opening) ?? {};
  named.push(onBehalfOf, delegatedBy, ...chain);
  const entities = new Map<string, EntityJson[]>();
  for (const party of named) {
    if (!party) continue;
    const key = `${party.kind} ${party.id}`;
    // Cedar refuses two definitions of one entity. The first one stays, because the principal's own proof is the newest.
    if (!entities.has(key)) entities.set(key, partyEntitiesOf(party, groups));
  }
  return [...entities.values()].flat();
}

export const partyUid = ({ kind, id }: PartyRef): TypeAndId => ({
  type: kind === 'person' ? 'Person' : 'Workload',
  id,
});

/** Returns the type and id of a party as one text, the same for the entity of its lists; undefined for any other entity. */
export function partyKey({ type, id }: TypeAndId): string | undefined {
  if (type === LISTS) return id;
  return type === 'Person' || type === 'Workload' ? `${type} ${id}` : undefined;
}

/** A party with claims and groups, as far as they are known. */
type Mentioned = RememberedPerson;

/** The entity whose tags are the claims of a party that are lists. Tags of one entity have one type. */
const LISTS = 'Lists';

/** Returns whether it is the entity of somebody's lists. */
export const isLists = ({ uid }: EntityJson): boolean => plain(uid).type === LISTS;

function partyEntitiesOf(party: Mentioned, groups: ReadonlySet<string>): EntityJson[] {
  const parents: TypeAndId[] = [{ type: 'Issuer', id: party.issuer }];
  if (party.kind === 'workload' && party.owner !== undefined) parents.push({ type: 'Owner', id: party.owner });
  if (party.kind === 'person' && party.groups)
    parents.push(...party.groups.filter((id) => groups.has(id)).map((id): TypeAndId => ({ type: 'Group', id })));
  return knownEntities(partyUid(party), party, parents);
}

/** Returns an entity with what is known of it, and that of its lists. */
function knownEntities(
  uid: TypeAndId,
  { claims = {}, unread = [] }: KnownClaims,
  parents: TypeAndId[] = [],
): EntityJson[] {
  const listsUid = { type: LISTS, id: `${uid.type} ${uid.id}` };
  const attrs = { lists: { __entity: listsUid }, unread: [...unread] };
  return [
    { uid, attrs, parents, tags: tagsOf(claims, (value) => typeof value === 'string') },
    { uid: listsUid, attrs: {}, parents: [], tags: tagsOf(claims, (value) => typeof value !== 'string') },
  ];
}

/** Returns what the API that asks about a use says of it, apart from all that is known. */
export function givenEntities({ context }: PolicyQuery): EntityJson[] {
  const given = context.kind === 'access' ? Object.entries(context.given ?? {}) : [];
  return given.flatMap(([of, said]) => knownEntities({ type: 'Given', id: of }, said));
}

export const givenReferences = (given: Given): Record<string, CedarValueJson> =>
  Object.fromEntries(Object.keys(given).map((of) => [of, reference('Given', of)]));

type Claims = NonNullable<Mentioned['claims']>;

const tagsOf = (claims: Claims, isMeant: (value: Claims[string]) => boolean): Record<string, CedarValueJson> =>
  Object.fromEntries(
    Object.entries(claims)
      .filter(([, value]) => isMeant(value))
      .map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );

/** Returns the subjects of a path. A pattern has one for itself, and one for each of its parts. */
function pathSubjects(path: string, target: KnownTarget | undefined): Subject[] | 'too-many' | undefined {
  if (!target || pathProblem(path) !== undefined) return undefined;
  if (!isPattern(path)) return [pathSubject(target, path, false, covers)];
  const parts = partsOf(path, target.cuts);
  if (!parts) return 'too-many';
  // A label that does not touch the pattern touches none of its parts.
  const touching = { ...target, labels: target.labels.filter(({ match }) => overlaps(match, path)) };
  return [
    pathSubject(touching, path, true, overlaps),
    ...parts.map((part) => pathSubject(touching, part, false, covers)),
  ];
}

function pathSubject(
  target: KnownTarget,
  path: string,
  pattern: boolean,
  carries: (label: string, path: string) => boolean,
): Subject {
  const place: Place = {
    // No policy can name the empty path, so it stands for every path that no policy names.
    named: target.named.has(path) ? path : '',
    above: pathsAbove(path).filter((one) => target.named.has(one)),
    pattern,
    sensitivity: sensitivityOf(target.labels, (match) => carries(match, path)),
  };
  return { text: JSON.stringify([target.resource, place]), tell: () => tellOf(target, place) };
}

/** What policies may know of a path. */
interface Place {
  named: string;
  above: string[];
  pattern: boolean;
  sensitivity: string[];
}

function tellOf(target: KnownTarget, { named, above, pattern, sensitivity }: Place): ReturnType<Subject['tell']> {
  const { resource } = target;
  const uidOf = (path: string): TypeAndId => ({ type: 'Resource', id: `${resource}#${path}` });
  const uid = uidOf(named);
  const attrs = { target: reference('Target', resource), pattern, sensitivity };
  const parents = [{ type: 'Target', id: resource }, ...above.map(uidOf)];
  return { uid, entities: [{ uid, attrs, parents }, targetEntity(target)] };
}

function pathsAbove(path: string): string[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
}

function targetEntity({ resource, tags }: PolicyTarget): EntityJson {
  return { uid: { type: 'Target', id: resource }, attrs: {}, parents: [], tags: { ...tags } };
}

function taskSubject({ id, workload, purpose, openedBy }: TaskFacts): Subject {
  const opener = openedBy?.kind === 'person' ? 'openedByPerson' : 'openedByWorkload';
  const attrs = {
    workload: reference('Workload', workload.id),
    purpose,
    ...(openedBy && { [opener]: partyReference(openedBy) }),
  };
  // A task that is about to be opened has no id yet. No real id reads "new".
  return alone({ uid: { type: 'Task', id: id ?? 'new' }, attrs, parents: [] });
}

/** A target that is no longer configured has nobody who may answer for it. */
function approvalSubjects(
  { id, group, workload, onBehalfOf, access, purpose }: ApprovalFacts,
  target: KnownTarget | undefined,
): Subject[] | undefined {
  if (!target) return undefined;
  const uid = { type: 'Approval', id };
  const attrs = {
    group: reference('Group', group),
    workload: partyReference(workload),
    ...(onBehalfOf && { onBehalfOf: partyReference(onBehalfOf) }),
    target: reference('Target', target.resource),
    actions: [...new Set(access.flatMap(({ actions }) => actions))].sort(),
    sensitivity: sensitivityOf(target.labels, (match) => access.some(({ path }) => overlaps(match, path))),
    purpose,
  };
  const entities = [{ uid, attrs, parents: [] }, targetEntity(target)];
  return [{ text: JSON.stringify(entities), tell: () => ({ uid, entities }) }];
}

const alone = (one: EntityJson): Subject => ({
  text: JSON.stringify(one),
  tell: () => ({ uid: plain(one.uid), entities: [one] }),
});

export const plain = (uid: EntityJson['uid']): TypeAndId => ('__entity' in uid ? uid.__entity : uid);

const entity = (type: string, id: string): EntityJson => ({ uid: { type, id }, attrs: {}, parents: [] });

const reference = (type: string, id: string): CedarValueJson => ({ __entity: { type, id } });

export const ownerReference = (owner: string): CedarValueJson => reference('Owner', owner);

export const partyReference = (party: PartyRef): CedarValueJson => ({ __entity: partyUid(party) });
