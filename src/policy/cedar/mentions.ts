/**
 * What policies can tell apart. Cedar reads an attribute only by its name, and a tag only by `getTag` and `hasTag`. So what no
 * policy mentions is not handed to Cedar: an evaluation takes a third of the time, and more queries are equal.
 */
import type { Context, EntityJson } from './cedar-wasm.js';

export interface Mentions {
  /** Every text in the policies, as a name or a value. More than are needed do no harm. */
  words: ReadonlySet<string>;
  /** A policy uses the context other than by an attribute of it, for example in a comparison. */
  wholeContext: boolean;
  /** A policy computes the name of a tag. */
  anyTag: boolean;
}

/** @param json A policy in Cedar's JSON. */
export function mentionsIn(json: unknown): Mentions {
  const words = new Set<string>();
  let contexts = 0;
  let anyTag = false;
  const visit = (node: unknown): void => {
    if (typeof node === 'string') words.add(node);
    if (typeof node !== 'object' || node === null) return;
    for (const [name, value] of Object.entries(node)) {
      words.add(name);
      if (name === 'Var' && value === 'context') contexts += 1;
      if (name === 'getTag' || name === 'hasTag') anyTag ||= !namesTag(value);
      if ((name === '.' || name === 'has') && isContext(value)) contexts -= 1;
      visit(value);
    }
  };
  visit(json);
  return { words, wholeContext: contexts !== 0, anyTag };
}

const isContext = (node: unknown): boolean =>
  typeof node === 'object' &&
  node !== null &&
  'left' in node &&
  typeof node.left === 'object' &&
  node.left !== null &&
  'Var' in node.left &&
  node.left.Var === 'context';

const namesTag = (node: unknown): boolean => {
  const { right } = node as { right?: { Value?: unknown } };
  return typeof right?.Value === 'string';
};

export function allMentions(all: readonly Mentions[]): Mentions {
  return {
    words: new Set(all.flatMap(({ words }) => [...words])),
    wholeContext: all.some(({ wholeContext }) => wholeContext),
    anyTag: all.some(({ anyTag }) => anyTag),
  };
}

/**
 * Returns the context without attributes that no policy mentions. The lifetime stays: it is granted as it is asked for, so a
 * query with one that Cedar cannot read must be refused.
 */
export const mentionedContext = (context: Context, { words, wholeContext }: Mentions): Context =>
  wholeContext
    ? context
    : Object.fromEntries(Object.entries(context).filter(([name]) => words.has(name) || name === 'lifetimeSeconds'));

/** Returns the entities with what policies mention. Cedar takes an entity that it is not told about for one without anything. */
export function mentionedEntities(entities: readonly EntityJson[], { words, anyTag }: Mentions): EntityJson[] {
  return entities.flatMap(({ uid, attrs, parents, tags = {} }) => {
    const mentioned = Object.entries(attrs).filter(([name]) => words.has(name));
    const kept = Object.entries(tags).filter(([name]) => anyTag || words.has(name));
    if (mentioned.length === 0 && parents.length === 0 && kept.length === 0) return [];
    const attributes = { attrs: Object.fromEntries(mentioned), parents };
    return [{ uid, ...attributes, ...(kept.length > 0 && { tags: Object.fromEntries(kept) }) }];
  });
}
