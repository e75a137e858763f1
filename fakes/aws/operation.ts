/** What the operations of STS and IAM have in common. */
import type { Account } from './account.js';
import type { Parameters } from './parameters.js';
import type { Session } from './session.js';
import type { Fields } from './xml.js';

export interface Call {
  account: Account;
  parameters: Parameters;
}

export interface SignedCall extends Call {
  /** The session that signed the request. Its signature is verified, and it has not expired. */
  caller: Session;
}

/** The fields of the answer; undefined for operations that answer none. */
export type Result = Fields | undefined;
