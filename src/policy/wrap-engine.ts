/** An engine before another: what counts, times or watches its answers. */
import { defined } from '../domain/defined.js';
import type { PolicyEngine } from './policy-engine.js';

/** Returns the engine with other functions in the place of some. What a reload changes is read from the engine each time. */
export const wrapEngine = (
  engine: PolicyEngine,
  instead: Partial<Pick<PolicyEngine, 'decide' | 'source' | 'reload'>>,
): PolicyEngine => ({
  decide: (query, asked) => engine.decide(query, asked),
  atOnce: engine.atOnce,
  ...defined({ timeLimit: engine.timeLimit?.bind(engine), answers: engine.answers?.bind(engine) }),
  evaluationsOf: (queries) => engine.evaluationsOf(queries),
  isGrantable: (action) => engine.isGrantable(action),
  get digest() {
    return engine.digest;
  },
  get named() {
    return engine.named;
  },
  source: () => engine.source(),
  reload: () => engine.reload(),
  ...instead,
});
