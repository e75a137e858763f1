/** The minter port: makes one kind of credential, and unmakes it as far as the target allows. It knows nothing of the ledger. */
import type { Credential } from '../domain/credential.js';
import type { Task } from '../domain/task.js';
import type { Material } from '../targets/kinds.js';

export interface Minter {
  readonly kind: Material['kind'];
  /** The longest lifetime that the target takes, where that may be less than the broker's own maximum. */
  lifetimeSecondsMax?(target: string): number;
  /** Throws the refusal of what could not be minted, before anything is reserved for it. */
  assertMintable?(credential: Credential): Promise<void>;
  /** Throws NothingMinted where it is certain that there is nothing to unmake; after any other error there may be. */
  mint(credential: Credential, task: Task): Promise<Minted>;
  /** Present exactly where the kind is `enforced`. */
  readonly enforcer?: Enforcer;
}

export interface Minted {
  material: Material;
  /** What the target calls it, where that is no secret. */
  handle?: string;
  /** SHA-256 (base64url) of what the target was told it may do. */
  scopeHash?: string;
}

/** The target said no, and has nothing of it. */
export class NothingMinted extends Error {
  override name = 'NothingMinted';
  /** What is thrown to the caller: a refusal, or what was wrong with the broker itself. */
  readonly refusal: Error;

  constructor(refusal: Error) {
    super(refusal.message, { cause: refusal });
    this.refusal = refusal;
  }
}

/** All of a target that must not be used any more: always the whole of it, so that telling it twice is telling it once. */
export interface Denials {
  /** Ids, ascending. */
  credentials: readonly string[];
  /** Ids of tasks that have ended, ascending. */
  tasks: readonly string[];
  /** Sessions of a workload from before one of its cutoffs: `<cause>@<number>` (see `Credential.workloadSeq`), ascending. */
  workloads: readonly string[];
  /** Whatever was issued before is dead. Milliseconds, a whole second. */
  issuedBefore?: number;
}

export interface Enforcer {
  /** How much of what the target can hold this takes: 1 is all of it. */
  fill(target: string, denials: Denials): number;
  /**
   * Puts exactly this in force at the target, in place of what was. `fence` rises with each writer and is written along.
   * Throws when it is not known to have happened.
   */
  enforce(target: string, denials: Denials, fence: number): Promise<void>;
  /** Whether the target's clock shows what this broker's shows, as far as is known. */
  clockAgrees(): boolean;
  /** Whether exactly this is what the target has. Throws when that cannot be known. */
  isInForce(target: string, denials: Denials, fence: number): Promise<boolean>;
}
