/** What is granted, before it is minted. */
import type { Credential } from '../domain/credential.js';
import type { Task } from '../domain/task.js';
import type { Minter } from '../minters/minter.js';
import type { Requester } from '../authorization/requester.js';
import type { Decision } from '../authorization/decide.js';

/** Reserved in the ledger, not yet minted. */
export interface Grant {
  requester: Requester;
  credential: Credential;
  task: Task;
  /** The task was born with it. */
  opened: boolean;
  decision: Decision;
  minter: Minter;
}
