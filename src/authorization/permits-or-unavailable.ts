/** What an answer may leave out, or deny the existence of, because policy refuses it. */
import { BrokerError } from '../domain/errors.js';
import { policiesNamed, type Decision } from './decide.js';

/**
 * Returns whether policy permits it, where a refusal is no refusal of the request: the answer has a row, a part or a subject less.
 * Throws where policy cannot be evaluated, which is no refusal: whoever reads an answer with less would take that for all there is,
 * or for a right that they lack. An engine elsewhere that is silent has thrown the same by now.
 */
export function permitsOrUnavailable(decision: Decision): boolean {
  const unknown = unknownWhether(decision);
  if (unknown) throw unknown;
  return decision.outcome === 'permit';
}

/** Returns the error of a question that nobody can answer: policy could not be evaluated. Undefined: it was. */
export function unknownWhether({ failed, because, query }: Decision): BrokerError | undefined {
  if (failed === undefined) return undefined;
  const by = because?.why === 'failed' ? `, because of ${policiesNamed(because.policies)}` : '';
  return new BrokerError(
    'temporarily_unavailable',
    `Policy cannot be evaluated for "${query?.action ?? ''}"${by}, so the answer is not known.`,
  );
}
