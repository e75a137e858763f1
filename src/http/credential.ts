/** GET /credentials/{id}: what a credential is, whether it lives, and everything it hangs on, in words. Never the secret. */
import { defined } from '../domain/defined.js';
import { readCredential } from '../inventory/credential.js';
import { detailsOf } from '../targets/requested-access.js';
import { isEnforced, sessionsOf, type Credential } from '../domain/credential.js';
import { kindOf } from '../targets/kinds.js';
import type { Selector } from '../domain/selector.js';
import { toTimestamp } from '../domain/time.js';
import type { Found } from '../ledger/credentials.js';
import type { HttpDeps } from './deps.js';
import { ok } from './wire/endpoint.js';
import { nothing, operation } from './wire/operation.js';

export const credentialReading = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'readCredential',
    from: 'query',
    input: nothing,
    async act(caller, _, { params, requestId }) {
      const { credential, task, live, end } = await readCredential(deps, caller, {
        credentialId: params['id'] ?? '',
        requestId,
      });
      return ok(
        defined({
          id: credential.id,
          kind: credential.kind,
          state: credential.state,
          live,
          end,
          ...handleOf(credential),
          task: task.id,
          purpose: task.purpose,
          target: credential.target,
          access: detailsOf(credential.target, credential.access),
          issuedAt: toTimestamp(credential.issuedAt),
          expiresAt: toTimestamp(credential.expiresAt),
          causes: causesInWords({ credential, task }),
        }),
      );
    },
  });

/** Under the name that the kind of target has for it. */
const handleOf = ({ kind, handle }: Credential) => {
  const { handles } = kindOf(kind);
  return handles && handle !== undefined && { [handles.label]: handle };
};

/** Each is a selector: a revocation of any of them is the credential's end. */
function causesInWords({ credential, task }: Found): Selector[] {
  const parties = [task.workload, task.openedBy, task.principal].filter((party) => party !== undefined);
  const selectors: Selector[] = [
    { kind: 'credential', value: credential.id },
    ...[task.id, ...task.lineage].map((value): Selector => ({ kind: 'task', value })),
    ...parties.flatMap(({ kind, id, issuer, owner }): Selector[] => [
      { kind: kind === 'workload' ? 'workload' : 'principal', value: id },
      { kind: 'issuer', value: issuer },
      ...(owner === undefined ? [] : [{ kind: 'owner', value: owner } satisfies Selector]),
    ]),
    { kind: 'principal', value: (task.principal ?? task.workload).id },
    { kind: 'target', value: credential.target },
    ...(isEnforced(credential)
      ? [{ kind: 'target', value: sessionsOf(credential.target, task.workload.id) } satisfies Selector]
      : []),
    ...(credential.from
      ? ([
          { kind: 'credential', value: credential.from.credential },
          { kind: 'target', value: credential.from.target },
        ] satisfies Selector[])
      : []),
    { kind: 'all', value: '' },
  ];
  return [...new Map(selectors.map((selector) => [`${selector.kind}:${selector.value}`, selector])).values()];
}
