/** The table of target kinds, and the functions that find a kind by its name or by a resource. */
import { aws, type AwsMaterial } from './aws.js';
import { jwt, type JwtMaterial } from './jwt.js';
import type { TargetKind } from './kind.js';

/** The secret that a minter made. It goes to the caller and nowhere else. */
export type Material = JwtMaterial | AwsMaterial;

export const KINDS = { jwt, 'aws-sts': aws } as const satisfies Record<Material['kind'], TargetKind<Material>>;

/** The kind of every resource that no other kind owns. */
export const DEFAULT_KIND = KINDS.jwt;

const kinds = new Map<string, TargetKind<Material>>(Object.entries(KINDS));
const others = [...kinds.values()].filter((kind) => kind !== DEFAULT_KIND);

export const KIND_NAMES = [...kinds.keys()];

/** What targets of every kind call their credentials, as the field of an answer that has it. */
export const HANDLE_LABELS = [...kinds.values()].flatMap(({ handles }) => handles?.label ?? []);

/** RFC 9396: the types of authorization details that the broker defines. */
export const DETAIL_TYPES = [...kinds.values()].map(({ detailType }) => detailType);

/** Throws if there is no kind of this name: this version of the broker cannot have written such a record. */
export function kindOf(name: string): TargetKind<Material> {
  const kind = kinds.get(name);
  if (!kind) throw new Error(`there is no target kind ${name}`);
  return kind;
}

export const kindOfTarget = (resource: string): TargetKind<Material> =>
  others.find((kind) => kind.owns(resource)) ?? DEFAULT_KIND;

export const accessTokenOf = (material: Material): string => kindOf(material.kind).accessToken(material);

/**
 * Returns the handles that a text contains, of any kind, each once, and no more than `most` of them. A leaked text may contain
 * several, and some may belong to nobody here.
 */
export function handlesIn(text: string, most: number): string[] {
  const found = new Set<string>();
  for (const { handles } of kinds.values()) {
    for (const handle of handles?.findIn(text) ?? []) {
      found.add(handle);
      if (found.size === most) return [...found];
    }
  }
  return [...found];
}
