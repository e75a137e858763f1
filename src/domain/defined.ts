/** Objects without undefined members, which `exactOptionalPropertyTypes` asks for: written once, not at every member. */

type OptionalNames<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];

/** Members that may be undefined become optional members; the others stay as they are. */
type Defined<T> = { [K in keyof T as K extends OptionalNames<T> ? never : K]: T[K] } & {
  [K in keyof T as K extends OptionalNames<T> ? K : never]?: Exclude<T[K], undefined>;
};

/**
 * The same object without the members that are undefined. The order of the others stays.
 * `L` is there for the compiler alone: with it `kind: 'jwt'` stays `'jwt'`, and does not become a string.
 */
export function defined<L extends string | number | boolean, T extends Record<string, L | object | null | undefined>>(
  members: T,
): Defined<T> {
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(members)) if (value !== undefined) found[name] = value;
  return found as Defined<T>;
}
