/** POST /access/v1/evaluation and /access/v1/evaluations (AuthZEN 1.0): may this be done now? */
import { z } from 'zod';
import { answersAhead } from '../../authorization/answers-ahead.js';
import { askedOnce } from '../../authorization/asked-once.js';
import { permitPart } from '../../authorization/permit-on-broker.js';
import { evaluate, type Evaluation, type WhyNot } from '../../credentials/evaluate.js';
import { denied } from '../../authorization/decide.js';
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import { HARD_LIMITS } from '../../domain/limits.js';
import type { AuthenticatedCaller } from '../../identity/proof.js';
import type { HttpDeps } from '../deps.js';
import { authenticate } from '../wire/authenticate.js';
import { parsed, readJson } from '../wire/body.js';
import { described, json, type Contract } from '../wire/contract.js';
import { ok, type Call } from '../wire/endpoint.js';
import { wireErrorOf } from '../wire/wire-errors.js';
import {
  actionInput,
  contextInput,
  questionInput,
  questionOf,
  resourceInput,
  subjectInput,
  type AuthzenQuestion,
} from './question.js';

const text = z.strictObject({ en: z.string() });

const decisionAnswer = z
  .strictObject({
    decision: z.boolean(),
    context: z
      .strictObject({
        basis: z
          .enum(['credential', 'policy'])
          .exactOptional()
          .describe('`policy`: a party was only named, no credential was looked at.'),
        properties: z
          .literal('ignored')
          .exactOptional()
          .describe('`properties` and `context` were sent, and policy has not heard of them: see `assertProperties`.'),
        reason_user: text.exactOptional().describe('Of a no: why, for whoever asked for the access.'),
        reason_admin: text.exactOptional().describe('The same for those who may read the audit log.'),
        decision_id: z.string().exactOptional().describe('The decision of policy, as the audit log names it.'),
        error: z
          .strictObject({ status: z.int(), message: z.string() })
          .exactOptional()
          .describe('Of one of many evaluations: it could not be read.'),
      })
      .exactOptional(),
  })
  .meta({ id: 'Decision', description: 'An answer of AuthZEN 1.0.' });

type DecisionAnswer = z.input<typeof decisionAnswer>;

const NEEDS = '`evaluate` on the target. Otherwise the answer is no';

const evaluationContract: Contract = {
  summary:
    'Says whether something may be done now with a credential (AuthZEN 1.0): it lives, it covers that, and policy still permits it.',
  proof: 'bearer',
  needs: NEEDS,
  body: questionInput,
  answers: { 200: json(decisionAnswer) },
};

const evaluationsInput = z.object({
  subject: subjectInput.partial().exactOptional(),
  action: actionInput.partial().exactOptional(),
  resource: resourceInput.partial().exactOptional(),
  context: contextInput.exactOptional(),
  evaluations: z
    .array(z.unknown())
    .max(HARD_LIMITS.evaluationsPerCall)
    .exactOptional()
    .describe(
      'Each has its own `subject`, `action`, `resource` and `context`, or those beside this list. One that cannot be read is a no.',
    ),
  options: z
    .object({
      evaluations_semantic: z.enum(['execute_all', 'deny_on_first_deny', 'permit_on_first_permit']).exactOptional(),
    })
    .exactOptional()
    .describe('Default: `execute_all`. With the others the answers end with the first no, or the first yes.'),
});

type Evaluations = z.output<typeof evaluationsInput>;

const evaluationsContract: Contract = {
  ...evaluationContract,
  summary: 'Answers up to 100 evaluations in one call, in their order (AuthZEN 1.0).',
  body: evaluationsInput,
  answers: { 200: json(z.union([decisionAnswer, z.strictObject({ evaluations: z.array(decisionAnswer) })])) },
};

export const evaluation = (deps: HttpDeps) =>
  described(evaluationContract, async (call) => {
    const caller = await authenticate(deps, call);
    return ok(await answer(deps, caller, call, readJson(call, questionInput)));
  });

export const evaluations = (deps: HttpDeps) =>
  described(evaluationsContract, async (call) => {
    const caller = await authenticate(deps, call);
    const asked = readJson(call, evaluationsInput, HARD_LIMITS.jsonValuesOfEvaluations);
    const { evaluations: each = [], options } = asked;
    if (each.length === 0) return ok(await answer(deps, caller, call, parsed(questionInput, asked)));
    const once = { ...deps, policy: askedOnce(deps.policy) };
    const ask = (one: unknown) => answerOne(once, caller, call, merged(asked, one));
    return ok({ evaluations: await inOrder(each, ask, options?.evaluations_semantic) });
  });

/**
 * Nothing limits how often an API asks: what others make it ask must not shut it out. So one call has not all of an engine elsewhere for
 * itself, and what its caller may ask is asked once.
 */
const AT_ONCE = 8;

/** One after the other where an answer may end it: nothing behind that is asked. */
async function inOrder(
  each: readonly unknown[],
  ask: (one: unknown) => Promise<DecisionAnswer>,
  semantic = 'execute_all',
): Promise<DecisionAnswer[]> {
  const isWhole = semantic === 'execute_all';
  const last = semantic === 'permit_on_first_permit';
  const answers: DecisionAnswer[] = [];
  for await (const [, next] of answersAhead(each, isWhole ? AT_ONCE : 1, ask)) {
    answers.push(next);
    if (!isWhole && next.decision === last) break;
  }
  return answers;
}

const ENTITIES = ['subject', 'action', 'resource'] as const;
const record = z.record(z.string(), z.unknown());

/** An entity of its own replaces the common one, but for the type, id or name that it leaves out. */
function merged(common: Evaluations, one: unknown): unknown {
  const own = record.safeParse(one).data;
  if (!own) return one;
  const whole: Record<string, unknown> = { ...own };
  for (const name of [...ENTITIES, 'context'] as const) {
    const shared = common[name];
    if (shared === undefined) continue;
    const replacing = record.safeParse(own[name]).data;
    if (own[name] === undefined) whole[name] = shared;
    else if (replacing && name !== 'context') whole[name] = { ...withoutProperties(shared), ...replacing };
  }
  return whole;
}

const withoutProperties = (entity: object): object =>
  Object.fromEntries(Object.entries(entity).filter(([name]) => name !== 'properties'));

/** A mistake in one of many is the answer to that one. What the broker cannot know fails them all. */
async function answerOne(
  deps: HttpDeps,
  caller: AuthenticatedCaller,
  call: Call,
  one: unknown,
): Promise<DecisionAnswer> {
  try {
    return await answer(deps, caller, call, parsed(questionInput, one));
  } catch (error) {
    if (!(error instanceof BrokerError && error.code === 'invalid_request')) throw error;
    const { message } = error;
    return { decision: false, context: { error: { status: wireErrorOf(error.code).status, message } } };
  }
}

async function answer(
  deps: HttpDeps,
  caller: AuthenticatedCaller,
  call: Call,
  asked: AuthzenQuestion,
): Promise<DecisionAnswer> {
  const question = questionOf(deps, call, asked);
  const evaluated = await evaluate(deps, caller, question);
  const basis = 'party' in question.subject ? ('policy' as const) : ('credential' as const);
  const heard = defined({ basis, properties: evaluated.unheard && ('ignored' as const) });
  if (evaluated.permitted) return { decision: true, context: heard };
  return { decision: false, context: defined({ ...heard, ...(await reasons(deps, caller, evaluated)) }) };
}

const REASONS: Record<Exclude<WhyNot, 'policy'>, string> = {
  'not-permitted': 'You may not ask about access at this target.',
  'not-live': 'There is no such live credential for this target.',
  'not-covered': 'The credential was not granted this.',
};

type Denied = Extract<Evaluation, { permitted: false }>;

async function reasons(deps: HttpDeps, caller: AuthenticatedCaller, { why, decision }: Denied) {
  if (why !== 'policy' || !decision) return { reason_user: { en: REASONS[why === 'policy' ? 'not-permitted' : why] } };
  const { id, outcome, policies } = decision;
  const isAdmin = await permitPart(deps, caller, 'readAudit');
  const by = policies.length > 0 ? policies.join(', ') : 'no policy';
  return {
    decision_id: id,
    reason_user: { en: denied(decision).message },
    reason_admin: isAdmin ? { en: `${id}: ${outcome}, by ${by}` } : undefined,
  };
}
