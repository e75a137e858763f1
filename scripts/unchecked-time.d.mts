/** Paths from the root of the repository. */
export const UNCHECKED_TIME: readonly string[];
