/** An exchange whose request is read already, as tests of use cases write it. One that waits for people is refused. */
import { issuedNow } from '../../src/approvals/refusals.js';
import type { Proofs } from '../../src/authorization/requester.js';
import type { Deps } from '../../src/credentials/deps.js';
import { exchange as exchangeUnread } from '../../src/credentials/exchange.js';
import type { CredentialRequest } from '../../src/credentials/request.js';

export type ExchangeRequest = Proofs & CredentialRequest & { requestId: string };

export const exchange = async (deps: Deps, request: ExchangeRequest) =>
  issuedNow(await exchangeUnread(deps, request, { requestId: request.requestId, read: () => request }));
