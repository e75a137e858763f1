/** What an answer may leave out, or deny the existence of, because policy refuses it; and what nobody knows. */
import { BrokerError } from '../domain/errors.js';
import type { PolicyEngine } from '../policy/policy-engine.js';
import { policiesNamed, type Decision } from './decide.js';

/**
 * Returns whether policy permits it, where a refusal is no refusal of the request: the answer has a part or a subject less. Throws where
 * policy cannot be evaluated, which is no refusal: whoever reads an answer with less would take that for all there is, or for a right
 * that they lack. An engine elsewhere that is silent has thrown the same by now.
 */
export function permitsOrUnavailable(decision: Decision): boolean {
  const unknown = unknownWhether(decision);
  if (unknown) throw unknown;
  return decision.outcome === 'permit';
}

/**
 * The same about one row of many, of which the others are shown: the answer says why some may be missing. Who can choose what policy is
 * asked about could else hide all rows from everybody. Throws only where an engine elsewhere answers nothing at all.
 */
export async function permitsOrUnknown(
  policy: Pick<PolicyEngine, 'answers'>,
  deciding: Promise<Decision>,
): Promise<boolean | BrokerError> {
  try {
    const decision = await deciding;
    return unknownWhether(decision) ?? decision.outcome === 'permit';
  } catch (error) {
    if (!(error instanceof BrokerError && error.code === 'temporarily_unavailable')) throw error;
    if (!(await policy.answers?.())) throw error;
    const text =
      'The policy engine does not answer this question, though it answers others, so the answer is not known.';
    return new BrokerError('temporarily_unavailable', text, { cause: error });
  }
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
