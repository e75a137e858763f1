/**
 * IAM's wildcards: `*` matches any text, also none, and `?` exactly one character. The matcher is written by hand, because a
 * regular expression made from a policy could take exponential time. This one takes at most pattern × text steps.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  let [p, t] = [0, 0];
  /** Where to continue if this attempt fails: after the last `*`, which then matches one more character. */
  let retry: { p: number; t: number } | undefined;
  while (t < text.length) {
    if (pattern[p] === '*') {
      p += 1;
      retry = { p, t };
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p += 1;
      t += 1;
    } else if (retry) {
      retry.t += 1;
      [p, t] = [retry.p, retry.t];
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
