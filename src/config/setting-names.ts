/** The names of all settings, from the schema, and which of them somebody may have meant by another name. */
import { z } from 'zod';
import { nearNames } from '../domain/near-names.js';
import { pathText, type ConfigPath } from './problem.js';

interface Node {
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
  items?: Node;
  anyOf?: Node[];
  oneOf?: Node[];
}

/** Returns the path of each setting as `trust[].jwks.url`; `<name>` stands for a key of one's own choosing. */
export const settingNames = (schema: z.ZodType): string[] => [
  ...new Set(below(z.toJSONSchema(schema, { io: 'input' }) as Node, '')),
];

function below(node: Node, path: string): string[] {
  return [
    ...Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
      const at = path === '' ? name : `${path}.${name}`;
      return [at, ...below(child, at)];
    }),
    ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((shape) => below(shape, path)),
    ...(node.items ? below(node.items, `${path}[]`) : []),
    ...(typeof node.additionalProperties === 'object' ? below(node.additionalProperties, `${path}.<name>`) : []),
  ];
}

/** Returns the path as the names of settings are written: `trust[0].jwks` → `trust[].jwks`. */
export const generalPath = (path: ConfigPath): string => pathText(path).replaceAll(/\[\d+\]/g, '[]');

/**
 * Returns the settings that may be meant by an unknown one: those beside it that are spelled nearly so, or else those that are
 * called so elsewhere, or nearly.
 */
export function meantBy(path: ConfigPath, names: readonly string[]): string[] {
  const key = String(path.at(-1));
  const around = generalPath(path.slice(0, -1));
  const beside = around === '' ? '' : `${around}.`;
  const siblings = names.filter((name) => name.startsWith(beside) && !/[.[]/.test(name.slice(beside.length)));
  const near = nearNames(
    key,
    siblings.map((name) => name.slice(beside.length)),
  );
  if (near.length > 0) return near;
  const last = (name: string): string => name.slice(name.lastIndexOf('.') + 1);
  const called = names.filter((name) => last(name) === key);
  return called.length > 0 ? called : names.filter((name) => nearNames(key, [last(name)]).length > 0);
}
