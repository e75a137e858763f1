/**
 * Permission is a value: an endpoint or a use case that forgets to ask policy, or asks about another verb, does not compile.
 * `npm run typecheck` is the test; each line below an expected error must not type-check.
 */
import { expect, it } from '@jest/globals';
import { permitOnBroker, permitOnTask, type Permitted } from '../../../src/authorization/permit.js';
import type { HttpDeps } from '../../../src/http/deps.js';
import { ok, type Call } from '../../../src/http/wire/endpoint.js';
import { brokerOperation, nothing, operation } from '../../../src/http/wire/operation.js';
import type { AuthenticatedCaller } from '../../../src/identity/proof.js';
import { readCredential } from '../../../src/inventory/credential.js';
import { permitBySelector, revokeBySelector } from '../../../src/revocation/revoke-by-selector.js';
import { completeTask } from '../../../src/tasks/complete-task.js';

const input = nothing;
const act = () => Promise.resolve(ok({}));
const requestOf = ({ requestId }: Call) => ({ taskId: 'tsk_aabbbbbbbbbbbbbb', requestId });

/** This function is never called: compiling it is the test. */
const endpoints = (deps: HttpDeps) => [
  operation(deps, {
    verb: 'completeTask',
    from: 'body',
    input,
    permit: (caller, _, call) => permitOnTask(deps, caller, 'completeTask', requestOf(call)),
    act,
  }),
  // @ts-expect-error Policy is not asked.
  operation(deps, { verb: 'completeTask', from: 'body', input, act }),
  operation(deps, {
    verb: 'completeTask',
    from: 'body',
    input,
    // @ts-expect-error Policy is asked about another verb.
    permit: (caller, _, call) => permitOnTask(deps, caller, 'readTask', requestOf(call)),
    act,
  }),
  operation(deps, {
    verb: 'readAudit',
    from: 'query',
    input,
    // @ts-expect-error The caller is authenticated, but not permitted.
    permit: (caller) => Promise.resolve(caller),
    act,
  }),
  // @ts-expect-error Policy must know what would be revoked.
  brokerOperation(deps, { verb: 'revoke', from: 'body', input, act }),
];

const useCases = async (deps: HttpDeps, caller: AuthenticatedCaller): Promise<void> => {
  const { ledger } = deps;
  const request = { taskId: 'tsk_aabbbbbbbbbbbbbb', requestId: 'r' };
  const reading = await permitOnTask(deps, caller, 'readTask', request);
  // @ts-expect-error Permission to read a task is none to complete it.
  await completeTask(ledger, reading, { outcome: 'completed' });
  // @ts-expect-error Nobody asked policy.
  await readCredential(ledger, caller, 'crd_aabbbbbbbbbbbbbb');
  // @ts-expect-error Policy permits another verb.
  await readCredential(ledger, await permitOnBroker(deps, caller, 'readAudit', 'r'), 'crd_aabbbbbbbbbbbbbb');
  // @ts-expect-error Only authorization/permit.ts makes permission.
  const forged: Permitted<'readAudit'> = { ...caller };
  const what = { kind: 'task', value: request.taskId } as const;
  const order = await permitBySelector(deps, caller, { what, dryRun: true, requestId: 'r' });
  // @ts-expect-error Permission for a dry run is none for the revocation.
  await revokeBySelector(ledger, order, { reason: forged.party.id });
};

it('permission is a value of the verb it was given for', () => {
  expect([endpoints, useCases]).toHaveLength(2);
});
