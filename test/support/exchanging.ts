/** An exchange whose request is read already, as tests of use cases write it. */
import type { Proofs } from '../../src/authorization/requester.js';
import type { Deps } from '../../src/credentials/deps.js';
import { exchange as exchangeUnread } from '../../src/credentials/exchange.js';
import type { CredentialRequest } from '../../src/credentials/request.js';

export type ExchangeRequest = Proofs & CredentialRequest & { requestId: string };

export const exchange = (deps: Deps, request: ExchangeRequest) =>
  exchangeUnread(deps, request, { requestId: request.requestId, read: () => request });
