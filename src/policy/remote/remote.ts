/**
 * A policy engine in another process. It is asked about each query anew, and nothing it says is remembered: only it knows when its
 * policies change. Where it gives no answer there is no verdict: that is an outage, and never the "no" of a policy.
 */
import { BrokerError } from '../../domain/errors.js';
import { HARD_LIMITS } from '../../domain/limits.js';
import type { DecideOptions, PolicyEngine, PolicyReload, TimeLimit, Verdict } from '../policy-engine.js';
import type { PolicyQuery } from '../query.js';
import { verdictOf } from './answer.js';
import { lineTo, type LineOptions } from './line.js';
import { PROBE } from './probe.js';
import { isVerb, makesSense } from './sense.js';
import { Unanswered } from './unanswered.js';

interface RemoteOptions extends LineOptions {
  /** The actions that can be granted. */
  actions: readonly string[];
  patterns: 'refuse' | 'ask';
  /** How long one question may take, and all those of a decision together. */
  timeoutMs: number;
}

/** So many questions of one decision are under way: a request with ten paths takes two round trips, and no request has the line for itself. */
const AT_ONCE = 8;
const RETRY_SECONDS = 2;

export async function createRemoteEngine(options: RemoteOptions): Promise<PolicyEngine> {
  const { point, actions, patterns, elapsed, timeoutMs } = options;
  const verb = actions.find(isVerb);
  // A policy that permits somebody the verb would permit them a credential, too.
  if (verb !== undefined) throw new Error(`policy.actions has "${verb}", which is a verb of the broker itself.`);
  const targets = new Map(options.targets.map((target) => [target.resource, target]));
  const sense = { actions: new Set(actions), targets, patterns };
  const line = lineTo(options, [actions, patterns]);
  const digest = () => line.heard()?.digest ?? '';

  const begin = (): TimeLimit => limitOf(elapsed, timeoutMs);

  // Also the wait for a connection is a part of the time.
  async function decide(query: PolicyQuery, { timeLimit = begin() }: DecideOptions = {}): Promise<Verdict> {
    if (!makesSense(query, sense)) {
      const because = { why: 'no-permit' as const, policies: [] };
      return { outcome: 'deny', policies: [], because, digest: digest() };
    }
    try {
      const decided = await line.ask(query, timeLimit);
      return verdictOf(query, decided.answer, decided.digest);
    } catch (cause) {
      if (!(cause instanceof Unanswered)) throw cause;
      const text = 'Policy cannot be asked now.';
      throw new BrokerError('temporarily_unavailable', text, { retryAfterSeconds: RETRY_SECONDS, cause });
    }
  }

  async function reload(): Promise<PolicyReload> {
    try {
      await line.ask(PROBE);
      return { digest: digest(), problems: [] };
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      return { digest: digest(), problems: [], outage: `${point.place}: ${error.message}` };
    }
  }

  // An engine that is not there yet keeps no broker from starting: deadlines pass, and signals are heard all the same.
  await reload();
  return {
    decide,
    atOnce: AT_ONCE,
    timeLimit: begin,
    evaluationsOf,
    isGrantable: (action) => sense.actions.has(action),
    get digest() {
      return digest();
    },
    get named() {
      return line.heard()?.named;
    },
    reload,
    answers: async () => (await reload()).outage === undefined,
    source: async () => (line.isFine() ? digest() : reload().then(({ outage }) => outage ?? digest())),
  };
}

function limitOf(elapsed: () => number, ms: number): TimeLimit {
  const end = elapsed() + ms;
  return { leftMs: () => end - elapsed() };
}

/** One question each. A way out needs no second one: the answer has its terms. */
const evaluationsOf = ({ length }: readonly PolicyQuery[]): number | undefined =>
  length > HARD_LIMITS.policyEvaluations ? undefined : length;
