/** The minter port: makes one kind of credential. A minter knows its target and nothing of the ledger. */
import type { Credential } from '../domain/credential.js';
import type { Task } from '../domain/task.js';

export interface Minter {
  readonly kind: Credential['kind'];
  mint(credential: Credential, task: Task): Promise<Minted>;
}

export interface Minted {
  /** The secret itself. Goes to the caller and nowhere else. */
  accessToken: string;
  tokenType: 'Bearer' | 'N_A';
  issuedTokenType: string;
}
