/** Work on ids, a few at a time, in the order they came. Bounded: what finds no place is left to whoever looks for it. */

export interface FewAtATime {
  push(id: string): void;
  /** Whether it waits or is worked on here. */
  has(id: string): boolean;
  /** Begins nothing more, and waits for what is under way. */
  close(): Promise<void>;
}

/** @param work must not reject */
export function fewAtATime(
  work: (id: string) => Promise<void>,
  { atOnce, waitingMost }: { atOnce: number; waitingMost: number },
): FewAtATime {
  const waiting = new Set<string>();
  const underWay = new Map<string, Promise<void>>();
  let closed = false;

  const next = () => {
    if (closed || underWay.size >= atOnce) return;
    const [id] = waiting;
    if (id === undefined) return;
    waiting.delete(id);
    const done = work(id).finally(() => {
      underWay.delete(id);
      next();
    });
    underWay.set(id, done);
  };
  return {
    push(id) {
      if (closed || underWay.has(id) || waiting.size >= waitingMost) return;
      waiting.add(id);
      next();
    },
    has: (id) => waiting.has(id) || underWay.has(id),
    async close() {
      closed = true;
      await Promise.all(underWay.values());
    },
  };
}
