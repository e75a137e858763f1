/**
 * Permission is a value: who is permitted which verb, on what. An endpoint or a use case that forgets to ask policy, asks about
 * another verb, or acts on another subject than policy was asked about, does not compile. `npm run build` type-checks this
 * file: the line below each expected error must not type-check.
 */
/* eslint-disable @typescript-eslint/no-misused-spread -- the compiler alone must refuse these */
import { expect, it } from '@jest/globals';
import { answerApproval } from '../../../src/approvals/answer.js';
import { reviewApproval } from '../../../src/approvals/review.js';
import { permitAnswer, permitReview } from '../../../src/authorization/permit-answer.js';
import type { Permitted } from '../../../src/authorization/permission.js';
import { permitOnApproval } from '../../../src/authorization/permit-on-approval.js';
import { permitOnBroker } from '../../../src/authorization/permit-on-broker.js';
import { permitOnTask } from '../../../src/authorization/permit-on-task.js';
import { permitLookingAt } from '../../../src/authorization/permit-on-workloads.js';
import type { Signal } from '../../../src/domain/signal.js';
import type { Task } from '../../../src/domain/task.js';
import type { HttpDeps } from '../../../src/http/deps.js';
import { ok } from '../../../src/http/wire/endpoint.js';
import { brokerOperation, nothing, operation, taskOperation } from '../../../src/http/wire/operation.js';
import type { AuthenticatedCaller } from '../../../src/identity/proof.js';
import { readCredential } from '../../../src/inventory/credential.js';
import { readTimeline } from '../../../src/inventory/timeline.js';
import { showRisk } from '../../../src/inventory/workload-risk.js';
import type { ListedWorkload } from '../../../src/inventory/workloads.js';
import type { Receipt } from '../../../src/ledger/receipts.js';
import { liftHold, permitLift } from '../../../src/revocation/receipts.js';
import {
  isDryRun,
  isCancellation,
  permitBySelector,
  revokeBySelector,
} from '../../../src/revocation/revoke-by-selector.js';
import { decideSignal, permitDecision } from '../../../src/signals/confirm.js';
import { completeTask } from '../../../src/tasks/complete-task.js';
import { OPERATOR, wholeBroker } from '../../support/brokers/use-cases.js';

const input = nothing;
const charged = () => 'nobody' as const;
const act = () => Promise.resolve(ok({}));
const TASK = 'tsk_aabbbbbbbbbbbbbb';

const told = { summary: 'Does it.', answers: {} };

/** This function is never called: compiling it is the test. */
const endpoints = (deps: HttpDeps) => [
  operation(deps, {
    verb: 'completeTask',
    from: 'body',
    input,
    ...told,
    charged,
    permit: (caller) => permitOnTask(deps, caller, 'completeTask', TASK),
    act,
  }),
  // @ts-expect-error Policy is not asked.
  operation(deps, { verb: 'completeTask', from: 'body', input, ...told, charged, act }),
  // @ts-expect-error It does not say whom detectors charge with a denial.
  operation(deps, {
    verb: 'completeTask',
    from: 'body',
    input,
    ...told,
    permit: (caller) => permitOnTask(deps, caller, 'completeTask', TASK),
    act,
  }),
  operation(deps, {
    verb: 'completeTask',
    from: 'body',
    input,
    ...told,
    charged,
    // @ts-expect-error Policy is asked about another verb.
    permit: (caller) => permitOnTask(deps, caller, 'readTask', TASK),
    act,
  }),
  operation(deps, {
    verb: 'readAudit',
    from: 'query',
    input,
    ...told,
    charged,
    // @ts-expect-error The caller is authenticated, but not permitted.
    permit: (caller) => Promise.resolve(caller),
    act,
  }),
  // @ts-expect-error Policy must know what would be revoked.
  brokerOperation(deps, { verb: 'revoke', from: 'body', input, ...told, act }),
  taskOperation(deps, {
    verb: 'suspendTask',
    from: 'body',
    input,
    ...told,
    // @ts-expect-error Permission to suspend the task is none to complete it.
    act: async (permitted) => ok(await completeTask(deps.ledger, permitted, { outcome: 'completed' })),
  }),
];

/** Never called: permission of one verb is none of another, and nobody else makes permission. */
const otherVerbs = async (deps: HttpDeps, caller: AuthenticatedCaller): Promise<void> => {
  const { ledger } = deps;
  const about = { task: TASK };
  const reading = await permitOnTask(deps, caller, 'readTask', TASK);
  // @ts-expect-error Permission to read a task is none to complete it.
  await completeTask(ledger, reading, { outcome: 'completed' });
  // @ts-expect-error Nobody asked policy.
  await readCredential(ledger, caller, 'crd_aabbbbbbbbbbbbbb');
  // @ts-expect-error Policy permits another verb.
  await readCredential(ledger, await permitOnBroker(deps, caller, 'readAudit'), 'crd_aabbbbbbbbbbbbbb');
  // @ts-expect-error Only the files authorization/permit….ts make permission.
  const forged: Permitted<'readAudit'> = { verb: 'readAudit', caller, subject: undefined };
  // @ts-expect-error A timeline needs the permission to read the audit log.
  await readTimeline(deps, { about, limit: 1 });
  // @ts-expect-error Permission to read revocations is none to read the audit log.
  await readTimeline(deps, await permitOnBroker(deps, caller, 'readRevocations'), { about, limit: 1 });
  await readTimeline(deps, forged, { about, limit: 1 });
};

/** Never called: seeing is a permission of its own, whichever verb lets the caller see. */
const onlySeen = async (deps: HttpDeps, caller: AuthenticatedCaller, workload: ListedWorkload): Promise<void> => {
  const seen = await permitOnApproval(deps, caller, 'apr_aabbbbbbbbbbbbbb');
  const answer = { digest: '', reason: 'x' };
  // @ts-expect-error Permission to see an approval is none to answer it.
  await answerApproval(deps, seen, answer, 'r');
  // @ts-expect-error Permission to see an approval is none to close its review.
  await reviewApproval(deps, seen, 'x', 'r');
  // @ts-expect-error Permission to close the review is none to answer.
  await answerApproval(deps, permitReview(deps.settings, seen), answer, 'r');
  // @ts-expect-error Permission to answer is none to close the review: it may be that of an emergency.
  await reviewApproval(deps, permitAnswer(deps.settings, seen, 'emergency'), 'x', 'r');
  const refusing = permitAnswer(deps.settings, seen, 'deny');
  await answerApproval(deps, refusing, answer, 'r');
  await reviewApproval(deps, permitReview(deps.settings, seen), 'x', 'r');
  // @ts-expect-error The rules were looked at for another answer.
  await answerApproval(deps, { ...refusing, subject: { ...refusing.subject, says: 'approve' } }, answer, 'r');
  const [looking] = await permitLookingAt(deps, caller, [workload], { all: undefined, unknown: () => undefined });
  // @ts-expect-error Permission to look at one workload is none to read what is revoked.
  if (looking) await showRisk(deps, looking, workload.party.id);
  await showRisk(deps, await permitOnBroker(deps, caller, 'readRevocations'), workload.party.id);
};

/** Never called: permission on one subject is none on another. */
const otherSubjects = async (
  deps: HttpDeps,
  caller: AuthenticatedCaller,
  other: { party: AuthenticatedCaller; task: Task; hold: Receipt; signal: Signal },
): Promise<void> => {
  const { ledger } = deps;
  const why = { reason: 'x' };
  const preview = await permitBySelector(deps, caller, { what: { kind: 'task', value: TASK }, dryRun: true });
  if (isCancellation(preview) || !isDryRun(preview)) return;
  const order = await permitBySelector(deps, caller, { what: { kind: 'task', value: TASK }, dryRun: false });
  if (!isCancellation(order) && !isDryRun(order)) await revokeBySelector(deps, order, why);
  // @ts-expect-error Permission for a dry run is none for the revocation.
  await revokeBySelector(deps, preview, why);
  const all = { selector: { kind: 'all', value: '' }, effect: 'end', dryRun: false } as const;
  // @ts-expect-error Policy was asked about one task, and not about all.
  await revokeBySelector(deps, { ...preview, subject: all }, why);
  const lift = await permitLift(deps, caller, 1);
  // @ts-expect-error Policy was asked about another hold.
  await liftHold(ledger, { ...lift, subject: { hold: other.hold } }, why);
  const decision = await permitDecision(deps, caller, 'sig_aabbbbbbbbbbbbbb');
  // @ts-expect-error Policy was asked about another signal.
  await decideSignal(deps, { ...decision, subject: { signal: other.signal } }, { verdict: 'confirm' });
  // @ts-expect-error Permission to lift a hold is none to decide about a signal.
  await decideSignal(deps, lift, { verdict: 'confirm' });
  const completing = await permitOnTask(deps, caller, 'completeTask', TASK);
  const subject = { task: other.task, state: 'open' } as const;
  // @ts-expect-error Policy was asked about another task.
  await completeTask(ledger, { ...completing, subject }, { outcome: 'completed' });
  // @ts-expect-error Policy was asked about another caller.
  await completeTask(ledger, { ...completing, caller: other.party }, { outcome: 'completed' });
  // @ts-expect-error A permission does not change.
  completing.subject = subject;
};

it('permission holds the caller, the verb and the subject that policy was asked about, and a copy of it is none', async () => {
  const broker = await wholeBroker();
  const { deps, operator } = broker;
  const { task } = await broker.open();
  const permitted = await permitOnTask(deps, operator, 'completeTask', task.id);
  expect(permitted).toMatchObject({ caller: { party: { id: OPERATOR } }, verb: 'completeTask', subject: { task } });
  expect({ ...permitted }).not.toHaveProperty('verb');
  expect(() => Object.assign(permitted, { caller: { ...operator } })).toThrow(TypeError);
  expect([endpoints, otherVerbs, onlySeen, otherSubjects].every((compiled) => typeof compiled === 'function')).toBe(
    true,
  );
});
