/** Parses one `*.cedar` file into its policies, each with its id, its line and the meaning of its annotations. */
import { defined } from '../../domain/defined.js';
import type { PolicyProblem } from '../policy-engine.js';
import { nameProblem } from '../../domain/name.js';
import { policySetTextToParts, policyToJson, type PolicyJson, type TypeAndId } from './cedar-wasm.js';
import { mentionsIn, type Mentions } from './mentions.js';
import { lineAt, problemsOf } from './problem.js';

export interface Policy {
  id: string;
  file: string;
  line: number;
  text: string;
  json: PolicyJson;
  rule: Rule;
  /** Every entity that the policy names. */
  literals: TypeAndId[];
  mentions: Mentions;
  /** The actions and action groups to which the policy is limited; absent: it is for all. */
  actions?: string[];
}

/** The effect of a policy and its annotations. */
export interface Rule {
  effect: 'permit' | 'forbid';
  /** On a permit: the longest lifetime it allows. On a forbid: the lifetime that is its way out. */
  lifetimeSeconds?: number;
  /** On a forbid: the group whose approval is the way out. */
  approval?: string;
  /** Beside `approval`: so many persons of the group; absent: one. */
  approvers?: number;
  /** Beside `approval`: the yes stands for the rest of the task. */
  reuse?: true;
  /** Callers may not know of the policy. */
  secret?: true;
}

export function parsePolicyFile(file: string, text: string): { policies: Policy[]; problems: PolicyProblem[] } {
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') return { policies: [], problems: problemsOf(parts.errors, file, text) };
  const lineOf = lineFinder(text);
  const problems = parts.policy_templates.map((template) => ({
    file,
    line: lineOf(template),
    reason: 'templates are not supported',
  }));
  const policies: Policy[] = [];
  for (const source of parts.policies) {
    const line = lineOf(source);
    const read = readPolicy(source);
    problems.push(...read.reasons.map((reason) => ({ file, line, reason })));
    if (read.reasons.length === 0) policies.push({ ...read, file, line, text: source });
  }
  return { policies, problems };
}

type Read = Pick<Policy, 'id' | 'json' | 'rule' | 'literals' | 'mentions' | 'actions'>;

function readPolicy(source: string): Read & { reasons: string[] } {
  const answer = policyToJson(source);
  if (answer.type === 'failure') throw new Error('Cedar cannot read back what it has just split');
  const { json } = answer;
  const { id, lifetime, approval, approvers, reuse, reveal } = json.annotations ?? {};
  const rule: Rule = defined({
    effect: json.effect,
    lifetimeSeconds: lifetime === undefined ? undefined : Number(lifetime),
    approval,
    approvers: approvers === undefined ? undefined : Number(approvers),
    reuse: reuse === undefined ? undefined : true,
    secret: reveal === undefined ? undefined : true,
  });
  return defined({
    id: id ?? '',
    json,
    rule,
    literals: entitiesIn(json),
    mentions: mentionsIn({ ...json, annotations: {} }),
    actions: json.action.op === 'All' ? undefined : entitiesIn(json.action).map((one) => one.id),
    reasons: problemsIn(json),
  });
}

/** Ways out are looked at once all annotations are as they should be. */
function problemsIn(json: PolicyJson): string[] {
  const problems = annotationProblems(json);
  return problems.length > 0 ? problems : deadEnds(json);
}

function annotationProblems({ effect, annotations = {} }: PolicyJson): string[] {
  const { id, lifetime, approval, approvers, reuse, reveal, ...unknown } = annotations;
  const reasons = Object.keys(unknown).map(
    (name) => `unknown annotation @${name}; @id, @lifetime, @approval, @approvers, @reuse and @reveal exist`,
  );
  const misnamed = id ? nameProblem(id) : undefined;
  if (!id) reasons.push('has no @id');
  // Callers, audit log and terminals are told the id as it is.
  if (misnamed !== undefined) reasons.push(`has an @id that ${misnamed}`);
  // An annotation without a value is null, although its type says text. No check below accepts null.
  if (lifetime !== undefined && !/^[1-9]\d{0,8}$/.test(lifetime))
    reasons.push('@lifetime must be a whole number of seconds, such as @lifetime("60")');
  if (approval !== undefined && !approval) reasons.push('@approval must name a group');
  if (approval !== undefined && effect === 'permit') reasons.push('@approval belongs on a forbid');
  if (approval !== undefined && lifetime !== undefined) reasons.push('@lifetime and @approval exclude each other');
  if (approval === undefined && (approvers ?? reuse) !== undefined)
    reasons.push('@approvers and @reuse belong beside @approval');
  if (approvers !== undefined && !/^[12]$/.test(approvers))
    reasons.push('@approvers must be @approvers("1") or @approvers("2")');
  if (reuse !== undefined && reuse !== 'task') reasons.push('@reuse must be @reuse("task")');
  if (reveal !== undefined && reveal !== 'no') reasons.push('@reveal must be @reveal("no")');
  return reasons;
}

/** Returns the ways out that lead nowhere: a forbid that does not look at what they change applies again. */
function deadEnds({ effect, annotations = {}, conditions }: PolicyJson): string[] {
  const { words } = mentionsIn(conditions);
  if (effect === 'permit') return [];
  return Object.entries({ lifetime: 'lifetimeSeconds', approval: 'approvals' })
    .filter(([name, attribute]) => annotations[name] !== undefined && !words.has(attribute))
    .map(([name, attribute]) => `@${name} leads nowhere: no condition of the forbid is about context.${attribute}`);
}

/**
 * Returns the entity literals in a policy. Nothing else has text in both `type` and `id`: the members of a record are
 * expressions.
 */
function entitiesIn(json: unknown): TypeAndId[] {
  if (typeof json !== 'object' || json === null) return [];
  if ('type' in json && 'id' in json && typeof json.type === 'string' && typeof json.id === 'string')
    return [{ type: json.type, id: json.id }];
  return Object.values(json).flatMap(entitiesIn);
}

/** Finds the line of each policy, because Cedar returns the sources without their places. A copy in a comment is skipped. */
function lineFinder(text: string): (source: string) => number {
  const code = withoutComments(text);
  const found = new Set<number>();
  return (source) => {
    const wanted = withoutComments(source);
    let at = code.indexOf(wanted);
    while (found.has(at)) at = code.indexOf(wanted, at + 1);
    found.add(at);
    return lineAt(text, Buffer.byteLength(text.slice(0, Math.max(at, 0))));
  };
}

const withoutComments = (text: string): string =>
  text.replace(
    /("(?:\\.|[^"\\])*")|\/\/[^\n]*/g,
    (match, quoted: string | undefined) => quoted ?? ' '.repeat(match.length),
  );
