/** What Cedar is told about a query, in words: the facts that a part of a policy looks at, as they are. */
import type { CedarValueJson, Clause, Context, EntityJson, TypeAndId } from './cedar-wasm.js';
import { plain } from './entities.js';

export interface Told {
  principal: TypeAndId;
  action: TypeAndId;
  resource: TypeAndId;
  context: Context;
  entities: EntityJson[];
  /** What is asked for, where it is a path or pattern: Cedar is told of it only as far as policies name it. */
  path?: string | undefined;
}

export function aboutScope(head: 'principal' | 'action' | 'resource', told: Told): string {
  const uid = told[head];
  if (head === 'resource' && told.path !== undefined) return `resource is ${nameOf(asAsked(uid, told.path))}`;
  const within = above(uid, told.entities);
  const places = within.length > 0 ? `, in ${within.map(nameOf).join(', ')}` : '';
  return `${head} is ${nameOf(uid)}${places}`;
}

/** A path that no policy names has no name of its own. */
const asAsked = ({ type, id }: TypeAndId, path: string): TypeAndId =>
  type === 'Resource' && id.endsWith('#') ? { type, id: `${id}${path}` } : { type, id };

function above(uid: TypeAndId, entities: readonly EntityJson[]): TypeAndId[] {
  const parents = entityOf(uid, entities)?.parents.map(plain) ?? [];
  return [...parents, ...parents.flatMap((parent) => above(parent, entities))];
}

const entityOf = ({ type, id }: TypeAndId, entities: readonly EntityJson[]): EntityJson | undefined =>
  entities.find(({ uid }) => plain(uid).type === type && plain(uid).id === id);

type Value = CedarValueJson | undefined;
type Node = Readonly<Partial<Record<string, unknown>>>;

/** Returns one sentence for each attribute and tag that the expression reads, as `context.risk is "LOW"`. */
export function factsIn(expression: Clause['body'], told: Told): string[] {
  const facts = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const fact = isNode(node) ? factOf(node, told) : undefined;
    if (fact === undefined) Object.values(node).forEach(visit);
    else facts.add(fact);
  };
  visit(expression);
  return [...facts];
}

/** Undefined: it is no reading of a fact, but may hold some. */
function factOf(node: Node, told: Told): string | undefined {
  const path = pathOf(node);
  if (path === undefined) return undefined;
  const [of, name] = has(node) ?? [];
  if (of !== undefined) return `${path} is ${isThere(of, name, told) ? 'true' : 'false'}`;
  const value = valueOf(node, told);
  return value === undefined ? `${path} is not there` : `${path} is ${shown(value)}`;
}

/** Returns the expression as it is written in a policy; undefined where it is more than a way to one fact. */
function pathOf(node: Node): string | undefined {
  const variable = node['Var'];
  if (typeof variable === 'string') return variable;
  const [kind, { left, right, attr }] = operands(node);
  const of = isNode(left) ? pathOf(left) : undefined;
  if (of === undefined) return undefined;
  if (kind === '.' && typeof attr === 'string') return /^\w+$/.test(attr) ? `${of}.${attr}` : `${of}["${attr}"]`;
  if (kind === 'has' && typeof attr === 'string') return `${of} has ${attr}`;
  const tag = literalOf(right);
  return (kind === 'getTag' || kind === 'hasTag') && tag !== undefined ? `${of}.${kind}("${tag}")` : undefined;
}

/** Returns of what it is asked whether it has an attribute or a tag, and which. */
function has(node: Node): [of: Node, name: string] | undefined {
  const [kind, { left, right, attr }] = operands(node);
  const name = kind === 'has' ? attr : kind === 'hasTag' ? literalOf(right) : undefined;
  return isNode(left) && typeof name === 'string' ? [left, name] : undefined;
}

function isThere(of: Node, name: string | undefined, told: Told): boolean {
  const value = valueOf(of, told);
  const entity = entityIn(value, told);
  const members = entity ? { ...entity.attrs, ...entity.tags } : value;
  return typeof members === 'object' && members !== null && name !== undefined && Object.hasOwn(members, name);
}

function valueOf(node: Node, told: Told): Value {
  const variable = node['Var'];
  if (variable === 'context') return told.context;
  if (variable === 'principal' || variable === 'action' || variable === 'resource') return { __entity: told[variable] };
  const [kind, { left, right, attr }] = operands(node);
  const of = isNode(left) ? valueOf(left, told) : undefined;
  const entity = entityIn(of, told);
  if (kind === 'getTag') return entity?.tags?.[literalOf(right) ?? ''];
  if (kind !== '.' || typeof attr !== 'string') return undefined;
  if (entity) return entity.attrs[attr];
  return typeof of === 'object' && of !== null ? (of as Partial<Record<string, CedarValueJson>>)[attr] : undefined;
}

const entityIn = (value: Value, { entities }: Told): EntityJson | undefined =>
  isReference(value) ? entityOf(value.__entity, entities) : undefined;

const isReference = (value: unknown): value is { __entity: TypeAndId } =>
  typeof value === 'object' && value !== null && '__entity' in value;

function shown(value: CedarValueJson): string {
  if (isReference(value)) return nameOf(value.__entity);
  if (Array.isArray(value)) return value.length === 0 ? 'empty' : `[${value.map(shown).join(', ')}]`;
  return JSON.stringify(value);
}

const nameOf = ({ type, id }: TypeAndId): string => `${type}::${JSON.stringify(id)}`;

/** An expression in Cedar's JSON is an object with one member: its operator. */
function operands(node: Node): [kind: string, operands: Node] {
  const [[kind, inner] = ['', undefined]] = Object.entries(node);
  return [kind, isNode(inner) ? inner : {}];
}

const isNode = (node: unknown): node is Node => typeof node === 'object' && node !== null && !Array.isArray(node);

function literalOf(node: unknown): string | undefined {
  const value = isNode(node) ? node['Value'] : undefined;
  return typeof value === 'string' ? value : undefined;
}
