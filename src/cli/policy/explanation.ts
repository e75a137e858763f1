/** An explanation of an answer of policy, in lines for people. */
import type { Part, PolicyExplained } from '../../policy/cedar/explain.js';
import type { Verdict } from '../../policy/policy-engine.js';
import type { PolicyQuery } from '../../policy/query.js';
import { needsText } from './needs-text.js';

export interface Explanation {
  query: PolicyQuery;
  verdict: Verdict;
  /** Absent: the schema does not describe the query, so no policy is asked. */
  policies?: PolicyExplained[];
}

/** So many policies that nearly applied are shown; the others are counted. */
const NEARLY_SHOWN = 10;

export function linesOf({ query, verdict, policies }: Explanation): string[] {
  const head = ['', questionIn(query), `  ${answerIn(query, verdict)}`, ''];
  if (!policies) {
    const why = 'The schema or the configuration does not have this action, this target, or this kind of party for it.';
    return [...head, `${why} No policy is asked; it is refused.`];
  }
  const deciding = policies.filter(({ outcome }) => outcome !== 'does-not-apply').sort(byWeight);
  const nearly = policies.filter((one) => isNear(one, deciding)).sort(byWeight);
  const shown = nearly.slice(0, NEARLY_SHOWN);
  const rest = policies.length - deciding.length - shown.length;
  return [
    ...head,
    ...(deciding.length > 0 ? deciding.flatMap(applying) : ['No policy applies.']),
    ...(shown.length > 0 ? ['', 'But for one thing, these would apply:', ...shown.flatMap(missed)] : []),
    ...(rest > 0 ? ['', `${rest} more ${rest === 1 ? 'policy does' : 'policies do'} not apply.`] : []),
  ];
}

/**
 * Returns whether the policy would apply but for one thing, and whether that would change the answer: a further permit would not,
 * nor would a forbid beside another. Of a forbid a condition has to be what is missing: most are about somebody or something else.
 */
function isNear({ outcome, missing, parts, rule }: PolicyExplained, deciding: readonly PolicyExplained[]): boolean {
  if (outcome !== 'does-not-apply' || missing !== 1) return false;
  if (deciding.some((one) => one.rule.effect === rule.effect)) return false;
  return rule.effect === 'permit' || parts.find(({ is }) => is === 'false')?.of === 'condition';
}

const byWeight = (a: PolicyExplained, b: PolicyExplained): number => weight(a) - weight(b);

/** What cannot be evaluated outweighs all, and a forbid each permit. */
const weight = ({ outcome, rule }: PolicyExplained): number =>
  outcome === 'fails' ? 0 : rule.effect === 'forbid' ? 1 : 2;

function questionIn({ principal, action, resource, context }: PolicyQuery): string {
  const served = context.kind === 'access' ? context.onBehalfOf : context.opening?.onBehalfOf;
  const who = served ? `${principal.id}, for ${served.id}` : principal.id;
  return `May ${who} ${action} ${resourceIn(resource)}?`;
}

function resourceIn(resource: PolicyQuery['resource']): string {
  switch (resource.type) {
    case 'resource':
      return `${resource.target}#${resource.path}`;
    case 'target':
      return resource.target;
    case 'task':
      return `a task of ${resource.task.workload.id} ("${resource.task.purpose}")`;
    case 'approval':
      return `${resource.approval.id}, as one of ${resource.approval.group}`;
    default:
      return 'at the broker';
  }
}

function answerIn({ context }: PolicyQuery, { outcome, lifetimeSeconds, needs = [], because }: Verdict): string {
  const asked = context.kind === 'access' ? context.lifetimeSeconds : context.opening?.lifetimeSeconds;
  if (outcome === 'needs-approval') return `needs approval: of ${needsText(needs)}`;
  if (outcome === 'deny')
    return because?.why === 'other-purpose'
      ? `deny; for another purpose ${because.policies.join(', ')} would permit it`
      : 'deny';
  if (lifetimeSeconds === undefined || asked === undefined) return 'permit';
  return lifetimeSeconds < asked
    ? `permit, for ${lifetimeSeconds} s of ${asked} s`
    : `permit, for ${lifetimeSeconds} s`;
}

function applying(policy: PolicyExplained): string[] {
  const { outcome, within, parts } = policy;
  const does = outcome === 'fails' ? 'cannot be evaluated, which refuses it' : `applies${wayOutOf(policy)}`;
  const where = within && outcome === 'applies' ? `, to ${within.applies} of ${within.of} parts of the pattern` : '';
  return [`${titleOf(policy)} ${does}${where}`, ...parts.flatMap(lineOf)];
}

function wayOutOf({ rule }: PolicyExplained): string {
  const { effect, lifetimeSeconds, approval } = rule;
  if (effect === 'permit') return lifetimeSeconds === undefined ? '' : `, for ${lifetimeSeconds} s at most`;
  if (lifetimeSeconds !== undefined) return `; its way out is @lifetime("${lifetimeSeconds}")`;
  return approval === undefined ? '' : `; its way out is @approval("${approval}")`;
}

function missed(policy: PolicyExplained): string[] {
  return [titleOf(policy), ...policy.parts.filter(({ is }) => is === 'false').flatMap(lineOf)];
}

const titleOf = ({ rule, id, file, line }: PolicyExplained): string => `${rule.effect} ${id} (${file}:${line})`;

const WORDS: Readonly<Record<Part['is'], string>> = {
  true: 'is true',
  false: 'is false',
  failing: 'cannot be evaluated',
  unread: 'is not read',
};

function lineOf({ text, is, facts }: Part): string[] {
  const isSaid = facts.length === 1 && facts[0] === `${text} ${WORDS[is]}`;
  const why = facts.length > 0 && !isSaid && is !== 'unread' ? `: ${facts.join('; ')}` : '';
  return [`    ${text} ${WORDS[is]}${why}`];
}
