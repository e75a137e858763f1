/** One task after the other: what writes to the chain in this process queues, instead of losing races against itself. */

/** Answers as the task does; a task that fails does not hold up the next. */
export type InTurn = <T>(task: () => Promise<T>) => Promise<T>;

export function takingTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const run = last.then(task);
    last = run.catch(() => undefined);
    return run;
  };
}
