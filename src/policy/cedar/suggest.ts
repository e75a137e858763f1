/**
 * Writes the permits that recent use would have needed. Cedar names paths and folders, and no patterns: many paths under one pattern
 * become the folder that they have in common. Whatever let the pattern be granted permits that folder already (policies cannot name
 * less), so a suggestion names no more than what it takes the place of. Its other conditions, of a person or of the risk, are not known
 * here: whoever takes a suggestion over has to carry them over.
 */
import { overlaps } from '../../domain/access.js';

/** What one workload used of one action at one target. */
export interface UsedAccess {
  target: string;
  action: string;
  /** By each path or pattern that was granted and used: the paths that were used under it. */
  used: ReadonlyMap<string, ReadonlySet<string>>;
  /** The paths and patterns of which no use is known. */
  unused: readonly string[];
  /** For so long after its birth a credential was used, at most. */
  lifetimeSeconds: number;
}

/** More than these under one pattern are taken for a folder. */
export const PATHS_NAMED = 8;

/** Returns the text of one permit for each access. */
export const suggestPermits = (workload: string, accesses: readonly UsedAccess[]): string =>
  accesses.map((access, index) => permitOf(workload, access, index + 1)).join('\n');

function permitOf(
  workload: string,
  { target, action, lifetimeSeconds, ...access }: UsedAccess,
  number: number,
): string {
  const { paths, folders } = resourcesOf(access);
  const resource = (path: string) => `Resource::${quoted(`${target}#${path}`)}`;
  const named = folders.filter((folder) => folder !== EVERYTHING);
  const conditions = [
    ...(paths.length > 0 ? [`${listOf(paths.map(resource))}.contains(resource)`] : []),
    ...(named.length > 0 ? [`resource in ${listOf(named.map(resource))}`] : []),
    ...(named.length < folders.length ? [`resource in Target::${quoted(target)}`] : []),
  ];
  return `@id(${quoted(`suggested-${number} for ${workload}`)})
@lifetime("${lifetimeSeconds}")
permit (
  principal == Workload::${quoted(workload)},
  action == Action::${quoted(action)},
  resource
)
when {
  ${conditions.join(' ||\n  ')}
};
`;
}

/** The alphabets of ids, targets, paths and actions are ASCII, and there JSON and Cedar quote alike. */
const quoted = (text: string): string => JSON.stringify(text);

const listOf = (items: readonly string[]): string => `[\n    ${items.join(',\n    ')}\n  ]`;

/** The folder of all paths of a target. */
const EVERYTHING = '';

function resourcesOf({ used, unused }: Pick<UsedAccess, 'used' | 'unused'>) {
  const [paths, folders] = [new Set<string>(), new Set<string>()];
  for (const under of used.values()) {
    const folder = under.size > PATHS_NAMED ? folderOf([...under]) : undefined;
    if (folder !== undefined && !unused.some((pattern) => isIn(folder, pattern))) folders.add(folder);
    else for (const path of under) paths.add(path);
  }
  const named = [...paths].filter((path) => ![...folders].some((folder) => isIn(folder, path)));
  return { paths: named.sort(), folders: [...folders].sort() };
}

/** Returns whether the pattern has a path in common with the folder, which is itself one. */
const isIn = (folder: string, pattern: string): boolean =>
  folder === EVERYTHING || overlaps(folder, pattern) || overlaps(`${folder}/**`, pattern);

function folderOf([first = '', ...others]: readonly string[]): string {
  const segments = first.split('/');
  const rest = others.map((path) => path.split('/'));
  const isShared = (segment: string, index: number) => rest.every((other) => other[index] === segment);
  const end = segments.findIndex((segment, index) => !isShared(segment, index));
  return segments.slice(0, end < 0 ? segments.length : end).join('/');
}
