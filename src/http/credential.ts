/** GET /credentials/{id}: a credential's record, whether it is live, and by name everything that would end it. It never returns the secret. */
import type { Credential } from '../domain/credential.js';
import { defined } from '../domain/defined.js';
import { toTimestamp } from '../domain/time.js';
import { ok } from './wire/endpoint.js';
import { brokerOperation, nothing } from './wire/operation.js';
import { readCredential } from '../inventory/credential.js';
import { kindOf } from '../targets/kinds.js';
import { detailsOf } from '../targets/requested-access.js';
import type { HttpDeps } from './deps.js';

export const credentialReading = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readCredential',
    from: 'query',
    input: nothing,
    async act(permitted, _, { params }) {
      const { credential, task, state, end, causes, unnamedCauses } = await readCredential(
        deps.ledger,
        permitted,
        params['id'] ?? '',
      );
      return ok(
        defined({
          id: credential.id,
          kind: credential.kind,
          state,
          end,
          ...handleOf(credential),
          task: task.id,
          purpose: task.purpose,
          target: credential.target,
          access: detailsOf(credential.target, credential.access),
          issuedAt: toTimestamp(credential.issuedAt),
          expiresAt: toTimestamp(credential.expiresAt),
          causes,
          unnamedCauses: unnamedCauses.length > 0 ? unnamedCauses : undefined,
        }),
      );
    },
  });

/** Returns the handle, under the name that the kind of target gives it, for example `accessKeyId`. */
const handleOf = ({ kind, handle }: Credential) => {
  const { handles } = kindOf(kind);
  return handles && handle !== undefined && { [handles.label]: handle };
};
