/** What the operations of both services have in common. */
import type { Account } from './account.js';
import type { Parameters } from './parameters.js';
import type { Session } from './session.js';
import type { Fields } from './xml.js';

export interface Call {
  account: Account;
  parameters: Parameters;
}

export interface SignedCall extends Call {
  /** Proven by its signature, and not expired. */
  caller: Session;
}

/** Undefined for operations that answer nothing but that they are done. */
export type Result = Fields | undefined;
