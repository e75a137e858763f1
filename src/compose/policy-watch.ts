/**
 * Takes changed policies into force while the broker runs: on demand at once, and otherwise by looking at the directory again and
 * again. A file watch would miss what happens on network file systems and behind the links of a Kubernetes ConfigMap, and says
 * nothing of when a change is complete.
 */
import { enterDeciding, leaveDeciding } from '../ledger/deciding.js';
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
  /** Digests of the policies by which other brokers on the store decide, if not by these. */
  others(): readonly string[];
}

interface PolicyWatchDeps {
  policy: Pick<PolicyEngine, 'digest' | 'reload'>;
  /** Returns a digest of the files that a reload would read. */
  filesDigest: () => Promise<string>;
  loads: Pick<PolicyLoads, 'enter'>;
  ledger: Ledger;
  /** The name of this broker on the store. */
  node: string;
  metrics: Pick<Metrics, 'policyInForce' | 'policySets'>;
  log: Pick<Logger, 'info' | 'error'>;
}

export function watchPolicies(deps: PolicyWatchDeps): PolicyWatch {
  const { policy, filesDigest, loads, ledger, node, metrics, log } = deps;
  let mistakes: readonly string[] = [];
  let others: readonly string[] = [];
  /** What the files were at the last look, and when they were read last. */
  let [seen, read]: (string | undefined)[] = [];
  metrics.policyInForce(policy.digest);

  async function reload(): Promise<PolicyReload> {
    const [before, files] = [policy.digest, await filesDigest()];
    const result = await policy.reload();
    const { problems, digest } = result;
    read = files;
    mistakes = problems.map(problemText);
    if (problems.length > 0) log.error({ problems, digest }, 'the policies have mistakes; those in force stay');
    else if (digest !== before) log.info({ digest, before }, 'other policies are in force');
    metrics.policyInForce(digest);
    if (digest !== before) await loads.enter(digest);
    return result;
  }

  return {
    reload,
    async look() {
      const files = await filesDigest();
      const isSettled = files === seen;
      seen = files;
      if (isSettled && files !== read) await reload();
    },
    async compare() {
      others = await enterDeciding(ledger, node, policy.digest);
      metrics.policySets(1 + others.length);
    },
    close: () => leaveDeciding(ledger, node),
    mistakes: () => mistakes,
    others: () => others,
  };
}
