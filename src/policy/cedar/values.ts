/** The values that a policy compares attributes with, and the tags that it names. */
import type { Clause } from './cedar-wasm.js';

/** One attribute compared with one text, or with a `like` pattern. */
export interface Compared {
  /** `context`, `principal`, `resource`; absent where it is the attribute of something else. */
  of?: string;
  attribute: string;
  text: string;
  /** Returns whether the comparison holds for this value. */
  holdsFor: (value: string) => boolean;
}

/** A tag that is read or asked for by name. */
export interface Tagged {
  /** What has it: a party, a target, what a caller says, or something that only Cedar's types tell. */
  holder: 'party' | 'target' | 'given' | undefined;
  tag: string;
}

interface Binary {
  left: Node;
  right: Node;
}

/** An expression in Cedar's JSON: an object with one member, its operator. */
type Node = Readonly<Partial<Record<string, unknown>>>;

export function valuesIn(conditions: readonly Clause[]): { compared: Compared[]; tagged: Tagged[] } {
  const compared: Compared[] = [];
  const tagged: Tagged[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [operator, operands] of Object.entries(node)) {
      if (COMPARISONS.has(operator) && isBinary(operands)) compared.push(...comparisonsOf(operands));
      if (operator === 'like' && isLike(operands)) compared.push(...comparedWithPattern(operands));
      if ((operator === 'hasTag' || operator === 'getTag') && isBinary(operands)) tagged.push(...tagsOf(operands));
      visit(operands);
    }
  };
  conditions.forEach(({ body }) => visit(body));
  return { compared, tagged };
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', 'contains', 'containsAll', 'containsAny']);

function comparisonsOf({ left, right }: Binary): Compared[] {
  return [[left, right] as const, [right, left] as const].flatMap(([side, other]) =>
    textsIn(other).flatMap((text) => compare(side, text, (value) => value === text)),
  );
}

function comparedWithPattern({ left, pattern }: { left: Node; pattern: readonly unknown[] }): Compared[] {
  const literal = (part: unknown) => (part as { Literal?: string }).Literal;
  const escaped = pattern.map((part) => literal(part)?.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`) ?? '.*');
  const text = pattern.map((part) => literal(part) ?? '*').join('');
  const matches = new RegExp(`^${escaped.join('')}$`, 's');
  return compare(left, text, (value) => matches.test(value));
}

function compare(side: Node, text: string, holdsFor: Compared['holdsFor']): Compared[] {
  const attribute = side['.'];
  if (!isAttribute(attribute) || isGiven(attribute)) return [];
  const of = attribute.left['Var'];
  return [{ ...(typeof of === 'string' && { of }), attribute: attribute.attr, text, holdsFor }];
}

const tagsOf = ({ left, right }: Binary): Tagged[] => textsIn(right).map((tag) => ({ holder: holderOf(left), tag }));

/** `resource` has tags only where it is a target. */
function holderOf(node: Node): Tagged['holder'] {
  if (node['Var'] === 'principal') return 'party';
  if (node['Var'] === 'resource') return 'target';
  const attribute = node['.'];
  if (!isAttribute(attribute)) return undefined;
  if (isGiven(attribute)) return 'given';
  if (attribute.attr === 'target') return 'target';
  return PARTIES.has(attribute.attr) ? 'party' : undefined;
}

/** What is beneath `given` has names of its own, whatever they are. */
const isGiven = ({ attr, left }: Attribute): boolean =>
  attr === 'given' || (isAttribute(left['.']) && isGiven(left['.']));

const PARTIES: ReadonlySet<string> = new Set([
  'lists',
  'onBehalfOf',
  'openedBy',
  'delegatedBy',
  'workload',
  'openedByWorkload',
  'openedByPerson',
]);

/** Returns the text, or the texts of a set. */
function textsIn(node: Node): string[] {
  const { Value: value, Set: members } = node;
  if (typeof value === 'string') return [value];
  return Array.isArray(members) ? members.flatMap((member) => textsIn(member as Node)) : [];
}

const isObject = (node: unknown): node is Node => typeof node === 'object' && node !== null;

const isBinary = (node: unknown): node is Binary => isObject(node) && isObject(node['left']) && isObject(node['right']);

const isLike = (node: unknown): node is { left: Node; pattern: readonly unknown[] } =>
  isObject(node) && isObject(node['left']) && Array.isArray(node['pattern']);

interface Attribute {
  left: Node;
  attr: string;
}

const isAttribute = (node: unknown): node is Attribute =>
  isObject(node) && isObject(node['left']) && typeof node['attr'] === 'string';
