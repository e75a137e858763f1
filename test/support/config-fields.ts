/** Every field of the configuration's schema, as an operator would write its path. */
import { z } from 'zod';
import { configSchema } from '../../src/config/schema.js';

export interface ConfigField {
  /** `trust[].jwks.url`; `<name>` stands for a key of one's own choosing. */
  path: string;
  description: string;
  /** As JSON; absent when there is none. */
  default?: string;
  required: boolean;
}

interface Node {
  description?: string;
  default?: unknown;
  type?: string;
  properties?: Record<string, Node>;
  required?: string[];
  additionalProperties?: Node | boolean;
  items?: Node;
  anyOf?: Node[];
  oneOf?: Node[];
}

/** A field that several shapes have (`trust[].name`) is there once for each. */
export const configFields = (): ConfigField[] => below(z.toJSONSchema(configSchema, { io: 'input' }) as Node, '');

function below(node: Node, path: string): ConfigField[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const field = fieldOf(child, at, node.required?.includes(name) ?? false);
    // A plain section is a heading of the page: what it says is said by the fields below.
    return [...((child.properties ?? child.oneOf) ? [] : [field]), ...below(child, at)];
  });
  return [
    ...own,
    ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((shape) => below(shape, path)),
    ...(node.items ? below(node.items, `${path}[]`) : []),
    ...(typeof node.additionalProperties === 'object' ? below(node.additionalProperties, `${path}.<name>`) : []),
  ];
}

function fieldOf({ description = '', default: fallback }: Node, path: string, required: boolean): ConfigField {
  return { path, description, required, ...(fallback !== undefined && { default: JSON.stringify(fallback) }) };
}
