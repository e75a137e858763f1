/**
 * Objects without undefined members. `exactOptionalPropertyTypes` demands them, and a conditional spread at each member is
 * noise.
 */

type OptionalNames<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];

/** The type in which each member that may be undefined is optional, and each other member is as before. */
type Defined<T> = { [K in keyof T as K extends OptionalNames<T> ? never : K]: T[K] } & {
  [K in keyof T as K extends OptionalNames<T> ? K : never]?: Exclude<T[K], undefined>;
};

/**
 * Returns the same object without the members that are undefined. The others keep their order.
 * The type parameter `L` keeps literal types: without it the compiler widens `kind: 'jwt'` to a string.
 */
export function defined<L extends string | number | boolean, T extends Record<string, L | object | null | undefined>>(
  members: T,
): Defined<T> {
  const found: Record<string, unknown> = {};
  // Every request comes here some forty times: a loop over names makes no array of pairs.
  for (const name in members) {
    const value = members[name];
    if (value !== undefined) found[name] = value;
  }
  return found as Defined<T>;
}
