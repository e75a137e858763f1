/** Faults of AWS and of the way there, made on purpose. */

export type Fault =
  /** Refused without doing anything. By default with what STS answers when it is asked too often. */
  | { kind: 'throttle'; code?: string; message?: string; status?: number }
  | { kind: 'error'; code: string; message: string; status: number }
  /** An answer without a body, as a load balancer gives it. */
  | { kind: 'status'; status: number }
  /** Never answered, nothing done. */
  | { kind: 'hang' }
  /** The connection breaks before anything is done … */
  | { kind: 'reset' }
  /** … or after all of it, so that the caller cannot know. */
  | { kind: 'lost-answer' }
  /** Done and answered, but only after this time by the real clock. */
  | { kind: 'delay'; ms: number };

export type FaultSource = (operation: string) => Fault | undefined;

export interface Faults {
  /** One fault for each of the next calls of this operation. They go before those of `always`. */
  queue(operation: string, faults: readonly Fault[]): void;
  /** Asked at each call; replaces the one before. */
  always(source: FaultSource): void;
  /** Forgets all of it. */
  clear(): void;
  next(operation: string): Fault | undefined;
}

export function createFaults(): Faults {
  const queues = new Map<string, Fault[]>();
  let always: FaultSource = () => undefined;
  return {
    queue: (operation, faults) => void queues.set(operation, [...(queues.get(operation) ?? []), ...faults]),
    always: (source) => void (always = source),
    clear() {
      queues.clear();
      always = () => undefined;
    },
    next: (operation) => queues.get(operation)?.shift() ?? always(operation),
  };
}
