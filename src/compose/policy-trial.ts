/**
 * Policies on trial (`policy.trial`): asked what the binding ones are asked, after the answer, and never binding. Where they would
 * answer otherwise the audit log says so. What the trial does, or fails to do, changes no answer and delays none.
 */
import { LRUCache } from 'lru-cache';
import type { AuditEvent } from '../audit/event.js';
import type { AuditLog } from '../audit/log.js';
import { defined } from '../domain/defined.js';
import { HOUR_MS, type Clock } from '../domain/time.js';
import { createCedarEngine } from '../policy/cedar/cedar.js';
import type { Configured } from '../policy/cedar/fit.js';
import { loadPolicies } from '../policy/cedar/load-policies.js';
import type { PolicyEngine, PolicyReload, Verdict } from '../policy/policy-engine.js';
import type { PolicyQuery, PolicyResource } from '../policy/query.js';
import { isSameAnswer } from '../policy/same-answer.js';
import { wrapEngine } from '../policy/wrap-engine.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';

interface Around {
  audit: Pick<AuditLog, 'append'>;
  clock: Pick<Clock, 'unchecked'>;
  metrics: Pick<Metrics, 'policyTried'>;
  log: Pick<Logger, 'error'>;
}

/** Where the policies on trial are, and what they speak of. */
interface Tried {
  directory: string;
  configured: Configured;
}

/** Questions that wait for the trial. What comes while so many wait is not tried, and counted. */
const WAITING_MOST = 1_000;
const VERDICTS_KEPT = 2_000;
/** Differences that are remembered, so that each is entered once an hour and not at every request. */
const DIFFERENCES_KEPT = 2_000;
const POLICIES_NAMED = 8;

/** Returns the binding engine, with the trial behind it. */
export async function withTrial(binding: PolicyEngine, load: Tried, around: Around): Promise<PolicyEngine> {
  const tried = await createCedarEngine({ ...load, maxCachedVerdicts: VERDICTS_KEPT });
  const enter = entered(around);
  const waiting = inTheBackground(around, async (query: PolicyQuery, verdict: Verdict) => {
    const other = await tried.decide(query);
    const differs = !isSameAnswer(other, verdict);
    if (differs) await enter(query, verdict, other);
    around.metrics.policyTried(differs ? 'other' : 'same');
  });
  return wrapEngine(binding, {
    async decide(query, asked) {
      const verdict = await binding.decide(query, asked);
      if (!asked?.supposed) waiting.add(query, verdict);
      return verdict;
    },
    source: async () => (await Promise.all([binding.source(), tried.source()])).join(' '),
    /** Both sets come into force, or neither does. */
    async reload(): Promise<PolicyReload> {
      const { problems } = await loadPolicies(load.directory, load.configured);
      if (problems.length > 0) return { digest: binding.digest, problems };
      const reloaded = await binding.reload();
      return reloaded.problems.length > 0 ? reloaded : { ...reloaded, problems: (await tried.reload()).problems };
    },
  });
}

/** Runs the work one by one, each in a turn of the event loop of its own: requests come in between. */
function inTheBackground<A extends unknown[]>({ metrics, log }: Around, work: (...input: A) => Promise<void>) {
  const waiting: A[] = [];
  let isRunning = false;
  async function run(): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await new Promise(setImmediate);
      await work(...next).catch((err: unknown) => {
        metrics.policyTried('failed');
        log.error({ err }, 'policies on trial could not be asked, or their answer not entered; nothing hangs on it');
      });
    }
    isRunning = false;
  }
  return {
    add(...input: A): void {
      if (waiting.length >= WAITING_MOST) {
        metrics.policyTried('dropped');
        return;
      }
      waiting.push(input);
      if (isRunning) return;
      isRunning = true;
      void run();
    },
  };
}

/** Enters each difference once an hour: for a party, an action, a place, and both answers. */
function entered({ audit, clock }: Around) {
  const known = new LRUCache<string, number>({ max: DIFFERENCES_KEPT });
  return async (query: PolicyQuery, verdict: Verdict, other: Verdict): Promise<void> => {
    const event = trialEvent(query, verdict, other);
    const [key, now] = [JSON.stringify(event), clock.unchecked()];
    if (now - (known.get(key) ?? -Infinity) < HOUR_MS) return;
    await audit.append({ ...event, at: now });
    known.set(key, now);
  };
}

function trialEvent(
  { principal, action, resource, context }: PolicyQuery,
  verdict: Verdict,
  other: Verdict,
): Omit<AuditEvent, 'at'> {
  const { id, kind, issuer } = principal;
  return defined({
    type: 'policy.trial' as const,
    actor: { id, kind, issuer },
    verb: context.kind === 'operate' ? action : undefined,
    ...placeOf(resource, action),
    trial: { instead: answerOf(verdict), would: answerOf(other) },
  });
}

function placeOf(resource: PolicyResource, action: string): Pick<AuditEvent, 'target' | 'access' | 'workload'> {
  switch (resource.type) {
    case 'resource':
      return { target: resource.target, access: [{ path: resource.path, actions: [action] }] };
    case 'target':
      return { target: resource.target };
    case 'task':
      return { workload: resource.task.workload.id };
    case 'approval':
      return { target: resource.approval.target, workload: resource.approval.workload.id };
    case 'broker':
      return {};
  }
}

const answerOf = ({ outcome, lifetimeSeconds, needs, policies, digest }: Verdict) =>
  defined({ outcome, lifetimeSeconds, needs, policies: policies.slice(0, POLICIES_NAMED), digest });
