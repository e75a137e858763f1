/**
 * Finds what other tools would put something else in place of, and what nothing replaces here: variables such as `${REDIS_URL}`,
 * whose names would be taken for the values, and the key `<<`, which merges another map in YAML 1.1.
 */
import type { ConfigPath, Finding } from './problem.js';

/** As shells, Compose and Kubernetes write them: `${NAME}`, `${NAME:-default}`, `$(NAME)`, and `$NAME` as the whole value. */
const VARIABLE = /\$\{[A-Za-z_]\w*(?::?[-+?][^}]*)?\}|\$\([A-Za-z_]\w*\)|^\$[A-Z_][A-Z0-9_]*$/;

const REASON =
  'has a variable in it, and nothing replaces variables here: write the value. The environment can hold REDIS_URL, and what else docs/configuration.md lists';

const MERGED = 'merges nothing here: write the settings out, or name a whole value by its alias (`jwks: *keys`)';

export function unreadFindings(value: unknown, path: ConfigPath = []): Finding[] {
  if (typeof value === 'string') return VARIABLE.test(value) ? [{ path, reason: REASON }] : [];
  if (Array.isArray(value)) return value.flatMap((item, index) => unreadFindings(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    key === '<<' ? [{ path: [...path, key], reason: MERGED }] : unreadFindings(child, [...path, key]),
  );
}
