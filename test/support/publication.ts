/** Publications for tests of the log. */
import { randomUUID } from 'node:crypto';
import { cause } from '../../src/domain/selector.js';
import type { Publication } from '../../src/domain/tombstone.js';

/** Returns a publication; by default a hold on a workload. */
export function publication(over: Partial<Publication> & { workload?: string } = {}): Publication {
  const { workload = 'spiffe://test.example/agent', ...rest } = over;
  return {
    id: randomUUID(),
    cause: cause('workload', workload),
    selector: { kind: 'workload', value: workload },
    effect: 'hold',
    at: 1_900_000_000_000,
    until: 1_900_000_100_000,
    reason: 'a test says so',
    actor: 'test',
    ...rest,
  };
}
