/** The minter port. A minter makes one kind of credential, and enforces revocations at its targets. It knows nothing of the ledger. */
import type { Credential } from '../domain/credential.js';
import type { Task } from '../domain/task.js';
import type { Material } from '../targets/kinds.js';

export interface Minter {
  readonly kind: Material['kind'];
  /** Returns the longest lifetime that the target takes, where that may be less than the broker's own maximum. */
  lifetimeSecondsMax?(target: string): number;
  /** Throws a refusal if the credential cannot be minted as it is. It is called before the credential is reserved. */
  assertMintable?(credential: Credential): Promise<void>;
  /** Throws NothingMinted if it is certain that nothing was made. After any other error a credential may exist. */
  mint(credential: Credential, task: Task): Promise<Minted>;
  /** Present exactly if the kind is `enforced` (see `targets/kind.ts`). */
  readonly enforcer?: Enforcer;
}

export interface Minted {
  material: Material;
  /** What the target calls the credential, where it has such a name. It is no secret. */
  handle?: string;
  /** SHA-256 (base64url) of the permissions as they were sent to the target, for the audit log. */
  scopeHash?: string;
}

/** The target refused, and no credential exists. */
export class NothingMinted extends Error {
  override name = 'NothingMinted';
  /** The error for the caller: a refusal, or a plain Error where the broker itself was wrong. */
  readonly refusal: Error;

  constructor(refusal: Error) {
    super(refusal.message, { cause: refusal });
    this.refusal = refusal;
  }
}

/** All denials of one target. They always replace what the target has, so a repeated push changes nothing. */
export interface Denials {
  /** Ids, ascending. */
  credentials: readonly string[];
  /** Ids of tasks that have ended, ascending. */
  tasks: readonly string[];
  /** Sessions of a workload from before one of its cutoffs: `<cause>@<number>` (see `Credential.workloadSeq`), ascending. */
  workloads: readonly string[];
  /** Everything that was issued before this time is dead. Milliseconds, a whole second. */
  issuedBefore?: number;
}

/** Makes dead credentials unusable at targets that do not ask the broker. */
export interface Enforcer {
  /** Returns the share of the target's room that the denials take: 1 is all of the room. */
  fill(target: string, denials: Denials): number;
  /**
   * Replaces the denials of the target. Throws if it is not certain that they were written.
   * @param fence Rises with each new holder of the lease. It is written along with the denials.
   */
  enforce(target: string, denials: Denials, fence: number): Promise<void>;
  /** Returns whether the clock of the targets agrees with the clock of this broker, as far as is known. */
  clockAgrees(): boolean;
  /** Returns whether the target has exactly these denials. Throws if that cannot be found out. */
  isInForce(target: string, denials: Denials, fence: number): Promise<boolean>;
}
