/** Work that nobody waits for longer than so long. */

/** Resolves and rejects like `work`. Rejects with what `late` returns if that takes longer than `ms`; the work goes on. */
export async function within<T>(ms: number, work: PromiseLike<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
