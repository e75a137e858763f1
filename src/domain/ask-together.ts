/** Many who ask the store for small things at the same time are answered together: one question costs hardly more than one of them. */

/**
 * Returns a function that asks for all who come while the question before is under way. Each answer is to a question that began
 * after its caller came, never to one that was under way already: that one may not know what the caller has heard of.
 * @param ask Answers for all of these keys at once. Where it rejects, all of them are rejected.
 */
export function askTogether<K, A>(ask: (keys: readonly K[]) => Promise<A>): (keys: readonly K[]) => Promise<A> {
  let before: Promise<unknown> = Promise.resolve();
  let next: { keys: Set<K>; answer: Promise<A> } | undefined;

  return (keys) => {
    next ??= begin();
    for (const key of keys) next.keys.add(key);
    return next.answer;
  };

  function begin() {
    const together = new Set<K>();
    const answer = before.then(() => {
      next = undefined;
      return ask([...together]);
    });
    before = answer.catch(() => undefined);
    return { keys: together, answer };
  }
}
