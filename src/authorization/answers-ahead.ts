/**
 * Yields the items with their answers, in the order of the items. So many are asked for ahead, at once; whoever stops reading asks no
 * more. What fails behind the place where the reader stops is nobody's concern, as if it had not been asked.
 */
export async function* answersAhead<T, A>(
  items: readonly T[],
  atOnce: number,
  ask: (item: T) => Promise<A>,
): AsyncGenerator<[T, A]> {
  const rest = items.values();
  const waiting: { item: T; answer: Promise<A> }[] = [];
  const askNext = () => {
    const { value: item, done } = rest.next();
    if (done) return;
    const answer = ask(item);
    answer.catch(() => undefined);
    waiting.push({ item, answer });
  };
  for (let asked = 0; asked < atOnce; asked += 1) askNext();
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    yield [next.item, await next.answer];
    askNext();
  }
}
