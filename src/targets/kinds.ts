/** The table of target kinds, and every question that begins with a name, a resource or a text and finds the kind itself. */
import { aws, type AwsMaterial } from './aws.js';
import { jwt, type JwtMaterial } from './jwt.js';
import type { TargetKind } from './kind.js';

/** What a minter made: the secret, typed. It goes to the caller and nowhere else. */
export type Material = JwtMaterial | AwsMaterial;

export const KINDS = { jwt, 'aws-sts': aws } as const satisfies Record<Material['kind'], TargetKind<Material>>;

/** The kind of every resource that no other kind owns. */
export const DEFAULT_KIND = KINDS.jwt;

const kinds = new Map<string, TargetKind<Material>>(Object.entries(KINDS));
const others = [...kinds.values()].filter((kind) => kind !== DEFAULT_KIND);

/** RFC 9396: the types of authorization details that the broker defines. */
export const DETAIL_TYPES = [...kinds.values()].map(({ detailType }) => detailType);

/** Throws for a name of no kind: a record that this version of the broker cannot have written. */
export function kindOf(name: string): TargetKind<Material> {
  const kind = kinds.get(name);
  if (!kind) throw new Error(`there is no target kind ${name}`);
  return kind;
}

export const kindOfTarget = (resource: string): TargetKind<Material> =>
  others.find((kind) => kind.owns(resource)) ?? DEFAULT_KIND;

export const accessTokenOf = (material: Material): string => kindOf(material.kind).accessToken(material);

/** What targets call their credentials, wherever it stands in a text: what was found may hold several, a stranger's among them. */
export const handlesIn = (text: string): string[] => [
  ...new Set([...kinds.values()].flatMap(({ handles }) => handles?.findIn(text) ?? [])),
];
