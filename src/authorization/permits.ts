/** What an answer may leave out, or deny the existence of, because policy refuses it. */
import { BrokerError } from '../domain/errors.js';
import { policiesNamed, type Decision } from './decide.js';

/**
 * Returns whether policy permits it, where a refusal is no refusal of the request: the answer has a row, a part or a subject less.
 * Policy that cannot be evaluated is no refusal: whoever reads an answer with less would take that for all there is, or for a
 * right that they lack. An engine elsewhere that is silent has thrown the same by now.
 */
export function permits(decision: Decision): boolean {
  assertEvaluated(decision);
  return decision.outcome === 'permit';
}

/** Throws if nobody knows whether policy refuses it. */
export function assertEvaluated({ failed, because, query }: Decision): void {
  if (failed === undefined) return;
  const by = because?.why === 'failed' ? `, because of ${policiesNamed(because.policies)}` : '';
  throw new BrokerError(
    'temporarily_unavailable',
    `Policy cannot be evaluated for "${query?.action ?? ''}"${by}: the answer would be short of something.`,
  );
}
