/** Faults of AWS and of the network that a test can order. */

export type Fault =
  /** The call is refused, and nothing is done. Default: the error of STS for too many requests. */
  | { kind: 'throttle'; code?: string; message?: string; status?: number }
  | { kind: 'error'; code: string; message: string; status: number }
  /** The answer has no body, as from a load balancer. */
  | { kind: 'status'; status: number }
  /** There is never an answer, and nothing is done. */
  | { kind: 'hang' }
  /** The connection breaks before anything is done. */
  | { kind: 'reset' }
  /** The connection breaks after the call was carried out. The caller cannot tell this from `reset`. */
  | { kind: 'lost-answer' }
  /** The call is carried out and answered after this time of the real clock. */
  | { kind: 'delay'; ms: number };

export type FaultSource = (operation: string) => Fault | undefined;

export interface Faults {
  /** Adds one fault for each of the next calls of this operation. They come before the fault of `always`. */
  queue(operation: string, faults: readonly Fault[]): void;
  /** Sets a function that is called for each call of any operation. It replaces the previous function. */
  always(source: FaultSource): void;
  /** Removes all faults. */
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
