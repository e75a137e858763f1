/** What the endpoints of an approval take and answer, and how they show one. */
import { z } from 'zod';
import { canAnswer } from '../authorization/ask-approval.js';
import type { SeenApproval } from '../authorization/permit-on-approval.js';
import { teamOf } from '../authorization/team.js';
import { isAction, overlaps, pathProblem, sensitivityOf } from '../domain/access.js';
import {
  APPROVAL_ANSWERS,
  APPROVAL_STATES,
  shownDigest,
  termsOf,
  type Approval,
  type ApprovalAnswer,
} from '../domain/approval.js';
import { missingOf } from '../domain/approval-answers.js';
import { defined } from '../domain/defined.js';
import { natural } from '../domain/schemas.js';
import { chainOf } from '../domain/task.js';
import { toTimestamp } from '../domain/time.js';
import type { HttpDeps } from './deps.js';
import { time } from './wire/contract.js';
import { printable } from './wire/fields.js';

const path = z.string().superRefine((text, context) => {
  const problem = pathProblem(text);
  if (problem !== undefined) context.addIssue(problem);
});
const action = z.string().refine(isAction, 'is no action');

/** Characters of what a person says, in an answer or a review. */
export const REASON_MOST = 512;

export const decisionInput = z.strictObject({
  decision: z
    .enum(APPROVAL_ANSWERS)
    .describe('`emergency` agrees in the place of everybody: policy names who may, and its review stays open.'),
  digest: printable(64).describe(
    'The `digest` of what was read: if anything of it has changed, the answer is refused.',
  ),
  reason: printable(REASON_MOST).exactOptional().describe('In words. Demanded, except with `approve`.'),
  access: z
    .array(z.strictObject({ path, actions: z.array(action).min(1).max(32) }))
    .min(1)
    .max(32)
    .exactOptional()
    .describe('With `approve` or `emergency`: less than was asked for. Default: all of it.'),
  lifetimeSeconds: z.int().min(1).max(999_999_999).exactOptional().describe('The same: for a shorter time.'),
});

/** Returns the verb that policy must permit for this answer. */
export const verbOf = (says: ApprovalAnswer['says']) => (says === 'emergency' ? 'breakGlass' : 'approve');

export const reviewInput = z.strictObject({
  note: printable(REASON_MOST).describe('What was found. For the audit log.'),
});

const access = z.array(z.strictObject({ path: z.string(), actions: z.array(z.string()) }));
const terms = z.strictObject({ access, lifetimeSeconds: natural });
const needed = z.array(
  z.strictObject({
    group: z.string(),
    approvers: natural,
    reuse: z.literal(true).exactOptional().describe('The yes stands for the rest of the task.'),
  }),
);

const forApprovers = z
  .strictObject({
    digest: z.string().describe('Of all that is shown here: an answer names it.'),
    onBehalfOf: z.string().exactOptional().describe('The person, or workload, whom it serves.'),
    chain: z
      .array(z.string())
      .describe('Who acts for whom: the workload, who opened its task, those above, and whom it serves.'),
    owner: z
      .strictObject({ name: z.string(), contact: z.string().exactOptional(), runbook: z.string().exactOptional() })
      .exactOptional()
      .describe('The team of the workload.'),
    purposeFrom: z.enum(['opener', 'agent', 'default']).describe('Who said what it is for. `agent`: itself.'),
    sensitivity: z.array(z.string()).describe('The labels of what could be touched, after the answers so far.'),
    policies: z.array(z.string()).describe('The ids of the policies that want people to agree.'),
    answers: z.array(
      z.strictObject({
        by: z.string(),
        at: time(),
        says: z.enum(APPROVAL_ANSWERS),
        groups: z.array(z.string()).describe('That the person may answer for.'),
        ofOwner: z
          .literal(true)
          .exactOptional()
          .describe('Of a team whose agent asks, opened the task, or handed it on: not enough alone.'),
        reason: z.string().exactOptional(),
        access: access.exactOptional(),
        lifetimeSeconds: natural.exactOptional(),
      }),
    ),
    review: z
      .strictObject({
        openedAt: time(),
        closed: z.strictObject({ by: z.string(), at: time(), note: z.string() }).exactOptional(),
      })
      .exactOptional()
      .describe('Of an emergency. Open until somebody who did not declare it closes it.'),
    mayAnswerFor: z.array(z.string()).describe('The wanted groups for which policy lets you answer.'),
    mayBreakGlass: z.boolean().describe('Policy lets you agree in the place of everybody, in an emergency.'),
    unknown: z
      .array(z.string())
      .exactOptional()
      .describe('What is not known of both, and counts as no: which policies cannot be evaluated, in sentences.'),
  })
  .meta({ id: 'ApprovalToAnswer', description: 'What somebody who may answer has to know.' });

export const approvalAnswer = z
  .strictObject({
    id: z.string(),
    state: z.enum(APPROVAL_STATES).describe('`expired`: lapsed. `used`: the credential was issued.'),
    task: z.string(),
    workload: z.string().describe('Who asks.'),
    purpose: z.string(),
    target: z.string(),
    asked: terms.describe('What was asked for.'),
    terms: terms.describe('What stands of it, after the answers so far.'),
    needs: needed.describe('Whose agreement policy wants: of each group, so many persons.'),
    missing: needed.describe('What is still missing of that.'),
    askedAt: time(),
    lapsesAt: time().describe('Until then it can be answered.'),
    usableUntil: time().exactOptional().describe('Of one that is approved: until then the credential can be fetched.'),
    reason: z.string().exactOptional().describe('Why it was denied.'),
    answer: forApprovers.exactOptional().describe('Only for those who may answer.'),
  })
  .meta({ id: 'Approval', description: 'A request for a credential that waits until people agree.' });

type Shown = Pick<HttpDeps, 'settings' | 'targets'>;

export function approvalOnWire(deps: Shown, seen: SeenApproval): z.input<typeof approvalAnswer> {
  const { approval, state } = seen;
  const { id, task, workload, purpose, asked, needs, askedAt, lapsesAt, usableUntil, answers } = approval;
  return defined({
    id,
    state,
    task,
    workload: workload.id,
    purpose,
    target: asked.target,
    asked: termsOnWire(asked),
    terms: termsOnWire(termsOf(approval)),
    needs: needs.map(neededOnWire),
    missing: missingOf(approval).map(neededOnWire),
    askedAt: toTimestamp(askedAt),
    lapsesAt: toTimestamp(lapsesAt),
    usableUntil: usableUntil === undefined ? undefined : toTimestamp(usableUntil),
    reason: answers.find(({ says }) => says === 'deny')?.reason,
    answer: canAnswer(seen) ? answerOnWire(deps, seen) : undefined,
  });
}

function answerOnWire({ settings, targets }: Shown, { approval, task, groups, breaksGlass, unknown }: SeenApproval) {
  const notKnown = Object.values(unknown).map(({ message }) => message);
  const { workload, principal, openedBy, purposeFrom, policies, review } = approval;
  const { owner } = workload;
  const { contact, runbook } = (owner !== undefined && teamOf(settings.owners, owner)) || {};
  return defined({
    digest: shownDigest(approval),
    onBehalfOf: principal?.id,
    chain: task ? chainOf(task) : [workload.id, ...(openedBy ? [openedBy.id] : [])],
    owner: owner === undefined ? undefined : defined({ name: owner, contact, runbook }),
    purposeFrom,
    sensitivity: labelsOf(targets, approval),
    policies,
    answers: approval.answers.map(saidOnWire),
    review: review && reviewOnWire(review),
    mayAnswerFor: [...groups],
    mayBreakGlass: breaksGlass,
    unknown: notKnown.length > 0 ? notKnown : undefined,
  });
}

/** Returns the labels that the configuration gives to any of what stands of the request. */
export function labelsOf(targets: Shown['targets'], approval: Approval): string[] {
  const { access } = termsOf(approval);
  const { labels = [] } = targets.get(approval.asked.target) ?? {};
  return sensitivityOf(labels, (match) => access.some(({ path }) => overlaps(match, path)));
}

const termsOnWire = ({ access, lifetimeSeconds }: ReturnType<typeof termsOf>) => ({
  access: access.map(({ path, actions }) => ({ path, actions: [...actions] })),
  lifetimeSeconds,
});

const neededOnWire = ({ group, approvers, reuse }: Approval['needs'][number]) => defined({ group, approvers, reuse });

const saidOnWire = ({ by, at, says, groups, ofOwner, reason, access, lifetimeSeconds }: Approval['answers'][number]) =>
  defined({ by: by.id, at: toTimestamp(at), says, groups, ofOwner, reason, access, lifetimeSeconds });

const reviewOnWire = ({ openedAt, closed }: NonNullable<Approval['review']>) =>
  defined({
    openedAt: toTimestamp(openedAt),
    closed: closed && { by: closed.by.id, at: toTimestamp(closed.at), note: closed.note },
  });
