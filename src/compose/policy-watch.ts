/**
 * Takes changed policies into force while the broker runs: on demand at once, and otherwise by looking again and again at the
 * directory, or at an engine elsewhere. A file watch would miss what happens on network file systems and behind the links of a Kubernetes ConfigMap, and says
 * nothing of when a change is complete.
 */
import { defined } from '../domain/defined.js';
import { enterPolicies, leavePolicies } from '../ledger/policies-in-force.js';
import type { Ledger } from '../ledger/ledger.js';
import { problemText } from '../policy/cedar/problem.js';
import type { PolicyEngine, PolicyReload } from '../policy/policy-engine.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { PolicyLoads } from './policy-loads.js';

export interface PolicyWatch {
  /** Reads all policies. With a mistake in one, those that were in force stay. */
  reload(): Promise<PolicyReload>;
  /** Reloads once the files have changed, and were the same at the look before: until then somebody is writing them. */
  look(): Promise<void>;
  /** Says on the store which policies are in force here, and reads what other brokers say. */
  compare(): Promise<void>;
  /** Says on the store that this broker decides no more. */
  close(): Promise<void>;
  /** Why the files in the directory are not in force; empty when they are. */
  mistakes(): readonly string[];
  /** Why the engine does not answer; undefined while it does. */
  outage(): string | undefined;
  /** Digests of the policies by which other brokers on the store decide, if not by these. */
  others(): readonly string[];
}

interface PolicyWatchDeps {
  policy: Pick<PolicyEngine, 'digest' | 'named' | 'reload' | 'source'>;
  loads: Pick<PolicyLoads, 'enter'>;
  ledger: Ledger;
  /** The name of this broker on the store. */
  node: string;
  metrics: Pick<Metrics, 'policyInForce' | 'policySets'>;
  log: Pick<Logger, 'info' | 'error'>;
}

export function watchPolicies(deps: PolicyWatchDeps): PolicyWatch {
  const { policy, loads, ledger, node, metrics, log } = deps;
  let mistakes: readonly string[] = [];
  let others: readonly string[] = [];
  let outage: string | undefined;
  /** What there was at the last look, and what was read last. */
  let [seen, read]: (string | undefined)[] = [];
  let inForce = policy.digest;
  if (inForce !== '') metrics.policyInForce(inForce);

  async function reload(): Promise<PolicyReload> {
    const source = await policy.source();
    const result = await policy.reload();
    const { problems, digest } = result;
    read = source;
    mistakes = problems.map(problemText);
    outage = result.outage;
    if (problems.length > 0) log.error({ problems, digest }, 'the policies have mistakes; those in force stay');
    if (outage !== undefined) log.error({ outage }, 'the policy engine does not answer: nothing is decided');
    await enterOthers();
    return result;
  }

  /** An engine elsewhere changes its policies by itself, and the broker learns of it by any answer. */
  async function enterOthers(): Promise<void> {
    const [before, { digest, named }] = [inForce, policy];
    if (digest === before) return;
    inForce = digest;
    log.info(defined({ digest, before, named }), 'other policies are in force');
    metrics.policyInForce(digest);
    await loads.enter(policy);
  }

  return {
    reload,
    async look() {
      const source = await policy.source();
      const isSettled = source === seen;
      seen = source;
      if (isSettled && source !== read) await reload();
      else await enterOthers();
    },
    async compare() {
      if (policy.digest === '') return;
      others = await enterPolicies(ledger, node, policy.digest);
      metrics.policySets(1 + others.length);
    },
    close: () => leavePolicies(ledger, node),
    mistakes: () => mistakes,
    outage: () => outage,
    others: () => others,
  };
}
