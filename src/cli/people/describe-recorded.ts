/** What the broker keeps of what happened, for `mayfly whatis`; and what it says of no record of its own. */
import { membersOf } from '../../client/request.js';
import { formatSelector } from '../../domain/selector.js';
import { timelineLines, timelineSchema } from '../timeline-lines.js';
import { answered } from './answered.js';
import { auditSchema, decisionSchema, signalSchema } from './answers.js';
import type { Connection } from './connection.js';
import { factLines, type Described } from './lines.js';
import { quoted } from './receipt.js';

export async function describeDecision(id: string, { at, ask }: Connection): Promise<Described> {
  const { lines } = answered(auditSchema, await ask(at('/audit', { decision: id, limit: '1' })));
  const [line] = lines;
  if (line === undefined) throw new Error('The audit log has no such decision, or does not have it yet or any more.');
  // The error of the parser would quote it.
  const answer = membersOf(line);
  const { type, actor, target, task, reason, decision } = answered(decisionSchema, answer);
  const facts = factLines([
    ['entry', type],
    ['asked by', actor?.id],
    ['target', target],
    ['task', task],
    ['outcome', decision?.outcome],
    ['policies', decision && (decision.policies.join(', ') || 'none')],
    ['because', reason],
    ['why, in full', `mayfly policy explain --decision ${quoted(id)} -c <configuration>`],
  ]);
  return { lines: ['A decision of policy.', ...facts], answer };
}

export async function describeSignal(id: string, { at, ask }: Connection): Promise<Described> {
  const answer = await ask(at(`/signals/${encodeURIComponent(id)}`));
  const signal = answered(signalSchema, answer);
  const facts = factLines([
    ['event', `${signal.event}, ${signal.level}`],
    ['from', signal.source],
    ...signal.about.map((one) => ['about', formatSelector(one)] as const),
    ['received', signal.receivedAt],
    ['because', signal.reason],
  ]);
  return { lines: [`A signal: ${signal.state}.`, ...facts], answer };
}

export async function describeRequest(id: string, { at, ask }: Connection): Promise<Described> {
  const answer = await ask(at('/timeline', { requestId: id, limit: '1000' }));
  const { entries } = answered(timelineSchema, answer);
  const [first] = entries;
  if (!first) return { lines: ['A request, of which the audit log has nothing. The log of the broker may.'], answer };
  return { lines: ['A request. What happened in it:', ...timelineLines(entries, first)], answer };
}

export const describeRefusal = (code: string, { at }: Connection): Promise<Described> =>
  Promise.resolve({
    lines: [`A refusal of the broker, ${code}: ${at('/errors').href}#${code} explains it.`],
    answer: { code },
  });

export const EMAIL_ADDRESS: Described = {
  lines: [
    'An e-mail address. The broker names persons <trust name>:<sub>; with `claims: [email]` also email:<trust name>/<address>.',
    'Ask again with that: mayfly whatis email:<trust name>/<address>',
  ],
  answer: {},
};
