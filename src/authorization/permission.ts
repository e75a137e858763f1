/**
 * Permission as a value: who is permitted which verb, on what. A use case behind an operator verb takes a `Permitted` of that
 * verb and reads its subject from nowhere else. Only the `permit-….ts` files beside this one make any, after policy has permitted
 * it: of this file all others may import the types alone, and `npm run imports` fails where one imports the class.
 */
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { OperatorVerb } from '../policy/query.js';

/** Where any of several verbs lets a caller see something, seeing it is a permission of its own: it is none for one of these verbs. */
type PermittedVerb = OperatorVerb | 'seeApproval' | 'seeWorkload';

/**
 * The private field makes the class nominal: a spread loses the field, so a permission with another caller or subject does not
 * compile.
 */
export class Permission<V extends PermittedVerb, Subject> {
  readonly #verb: V;
  readonly caller: AuthenticatedCaller;
  /** What policy was asked about, as it was read before the question. */
  readonly subject: Subject;

  constructor(caller: AuthenticatedCaller, verb: V, subject: Subject) {
    this.#verb = verb;
    this.caller = caller;
    this.subject = subject;
    Object.freeze(this);
  }

  get verb(): V {
    return this.#verb;
  }
}

/** A caller that policy permits this verb on this subject. Verbs on the broker as a whole have no subject. */
export type Permitted<V extends PermittedVerb, Subject = undefined> = Permission<V, Subject>;
