/** The grant of the Deferred Token Response: the agent shows the code that it got, and gets what it asked for once people have agreed. */
import { approvedByCode } from '../../approvals/deferral.js';
import { issuedNow } from '../../approvals/refusals.js';
import { exchangeFor } from '../../credentials/exchange.js';
import type { Issued } from '../../credentials/release.js';
import type { CredentialRequest } from '../../credentials/request.js';
import type { Approval } from '../../domain/approval.js';
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import { DEFERRED } from '../../protocol/oauth.js';
import type { HttpDeps } from '../deps.js';
import { authenticateClient } from '../wire/authenticate.js';
import { demandedToken } from '../wire/body.js';
import type { Call } from '../wire/endpoint.js';
import { noteRequest, noteTask } from '../wire/noted.js';
import { tokenForm, type TokenForm } from './token-request.js';
import { warningsOf } from './warnings.js';

/** Asks for what was approved under the task that it hangs on, as whoever asks now would ask for it: nothing is taken for granted. */
export async function deferredGrant(
  deps: HttpDeps,
  call: Call,
  form: TokenForm,
): Promise<Issued & { warnings: string[] }> {
  const caller = await authenticateClient(deps, call, form);
  await deps.assertWithinRate(caller.party);
  const code = demandedToken(form, 'deferral_code');
  refuseOriginal(form);
  const { requestId } = call;
  const approval = await approvedByCode(deps, caller, { code, requestId });
  noteTask(call, approval.task);
  const read = () => noteRequest(deps, call, requestIn(approval));
  const outcome = await exchangeFor(deps, { caller }, { requestId, read });
  return { ...issuedNow(outcome), warnings: warningsOf(form) };
}

/** What was asked for stands in the record. A code with other parameters would look as if these counted. */
function refuseOriginal(form: TokenForm): void {
  const again = form.unread().find((name) => Object.hasOwn(tokenForm.shape, name));
  if (again === undefined) return;
  throw new BrokerError('invalid_request', `With the grant ${DEFERRED}, ${again} is not sent again.`);
}

/** Returns the request whose approval this is, in the same words. */
const requestIn = ({ task, asked }: Approval): CredentialRequest =>
  defined({
    target: asked.target,
    access: asked.access,
    lifetimeSeconds: asked.lifetimeWanted,
    tokenType: asked.tokenType,
    askedAsScope: asked.askedAsScope,
    under: { taskId: task },
  });
