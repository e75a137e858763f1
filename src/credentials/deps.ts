/** The dependencies of issuing: those of every use case, the minters and their targets, and the checks before a mint. */
import type { Deps as AuthorizationDeps } from '../authorization/deps.js';
import type { Target } from '../config/schema.js';
import type { PartyRef } from '../domain/party.js';
import type { UntilEnforceable } from '../enforcement/until-enforceable.js';
import type { InTurn } from '../ledger/in-turn.js';
import type { PartyMemory } from '../ledger/seen.js';
import type { Minter } from '../minters/minter.js';
import type { SessionCache } from './session-cache.js';

export interface Deps extends AuthorizationDeps {
  minters: ReadonlyMap<string, Minter>;
  targets: ReadonlyMap<string, Target>;
  parties: Pick<PartyMemory, 'granted'>;
  sessions: SessionCache;
  /** Requests that share a task wait for each other. */
  inTurn: InTurn;
  untilEnforceable: UntilEnforceable;
  /** Throws `slow_down` if the party, or all parties of its issuer together, ask too often. */
  assertWithinRate(party: PartyRef, points?: number): Promise<void>;
  /** Throws `temporarily_unavailable` while this broker must not mint: clocks apart, store nearly full or unfit. */
  assertFitToMint(): void;
}
