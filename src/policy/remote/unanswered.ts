/** A question to which the policy engine gave no answer that can be believed. */

import type { PolicySilence } from '../../domain/policy-outcome.js';

/** Why there is no answer. The message is a fixed sentence, and holds nothing that the engine has sent. */
export class Unanswered extends Error {
  override name = 'Unanswered';
  readonly reason: PolicySilence;

  constructor(reason: PolicySilence, message: string) {
    super(message);
    this.reason = reason;
  }
}
