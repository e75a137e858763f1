/** Asks the broker about one thing: what it is, whether it lives, whose it is, what it hangs on, and how to end it. */
import { z } from 'zod';
import { formatSelector, type Selector } from '../../domain/selector.js';
import { isLive } from '../../domain/task-outcome.js';
import { membersOf, textOf } from '../../client/request.js';
import { HANDLE_LABELS } from '../../targets/kinds.js';
import { NotAnswered } from '../broker-client.js';
import { timelineLines, timelineSchema } from '../timeline-lines.js';
import { answered } from './answered.js';
import { approvalLines, readApproval } from './approval.js';
import { auditSchema, credentialSchema, decisionSchema, signalSchema } from './answers.js';
import type { Connection } from './connection.js';
import { foreignToken } from './foreign-token.js';
import { holdsInForce } from './holds.js';
import { factLines } from './lines.js';
import {
  commandFor,
  counted,
  isInForce,
  isOpen,
  isQuestion,
  orderText,
  previewSchema,
  questionSchema,
  quoted,
  receiptSchema,
  type LeakedQuestion,
  type Preview,
} from './receipt.js';
import type { Thing } from './recognise.js';
import { taskFacts, taskSchema } from './task.js';

interface Explained {
  /** The first is a sentence, the others are below it. With texts of strangers in them, as they are. */
  lines: string[];
  /** What the broker answered, for machines. */
  answer: unknown;
}

const REASON = 'mayfly whatis';

/** Throws NotAnswered where the broker refuses, or knows no such thing, or does not show it to this caller. */
export function explain(thing: Thing, text: string, connection: Connection): Promise<Explained> {
  switch (thing.is) {
    case 'token':
      return ofToken(text, connection);
    case 'credential':
      return ofCredential(thing.id, connection);
    case 'task':
      return ofTask(thing.id, connection);
    case 'decision':
      return ofDecision(thing.id, connection);
    case 'signal':
      return ofSignal(thing.id, connection);
    case 'approval':
      return ofApproval(thing.id, connection);
    case 'request':
      return ofRequest(thing.id, connection);
    case 'revocation':
      return ofRevocation(thing.seq, connection);
    case 'name':
      return ofName(thing.selectors, connection);
    case 'refusal':
      return ofRefusal(thing.code, connection);
    default:
      return Promise.resolve(ADDRESS);
  }
}

/** The text goes into the body of a request and nowhere else. The broker finds the token in it, in whatever it is wrapped. */
async function ofToken(text: string, connection: Connection): Promise<Explained> {
  const { at, ask } = connection;
  try {
    const body = { leaked: text, reason: REASON, dryRun: true };
    const found = answered(z.union([previewSchema, questionSchema]), await ask(at('/revocations'), { body }));
    if (isQuestion(found)) return ofQuestion(found);
    const { lines, answer } = await ofCredential(found.selector.value, connection);
    return { lines: ['The text contains a credential of this broker.', ...lines], answer };
  } catch (error) {
    if (!(error instanceof NotAnswered) || error.code !== 'invalid_request') throw error;
    return { lines: [error.message, ...foreignToken(text)], answer: { code: error.code } };
  }
}

function ofQuestion(found: LeakedQuestion): Explained {
  const { id, task, workload, state } = found.approval;
  const facts = factLines([
    ['approval', id],
    ['asked by', workload],
    ['task', task],
    ['take it back', isOpen(found) ? "mayfly revoke --leaked --reason '…'" : undefined],
    ['what happened', `mayfly timeline --task ${quoted(task)}`],
  ]);
  return {
    lines: [`The text contains a deferral code, of a question to people that is ${state}.`, ...facts],
    answer: found,
  };
}

async function ofCredential(id: string, { at, ask }: Connection): Promise<Explained> {
  const answer = await ask(at(`/credentials/${encodeURIComponent(id)}`));
  const credential = answered(credentialSchema, answer);
  const { state, kind, access, causes } = credential;
  const lives = state === 'live' || state === 'reserved';
  const lines = [
    `A credential (${kind}): ${state}.`,
    ...factLines([
      ['credential', credential.id],
      ...HANDLE_LABELS.map((label) => [label, textOf(credential[label])] as const),
      ['task', credential.task],
      ['purpose', credential.purpose],
      ['target', credential.target],
      ...access.map(({ identifier, actions }) => ['may', `${actions.join(', ')} on ${identifier}`] as const),
      ['issued', credential.issuedAt],
      ['expires', credential.expiresAt],
      ...causes.map((cause) => ['dies with', formatSelector(cause)] as const),
      ['end it', lives ? commandFor({ kind: 'credential', value: credential.id }) : undefined],
      ['end its task', commandFor({ kind: 'task', value: credential.task })],
      ['what happened', `mayfly timeline --task ${quoted(credential.task)}`],
    ]),
  ];
  return { lines, answer };
}

async function ofTask(id: string, { at, ask }: Connection): Promise<Explained> {
  const answer = await ask(at(`/tasks/${encodeURIComponent(id)}`));
  const task = answered(taskSchema, answer);
  const lines = [
    `A task: ${task.state}.`,
    ...factLines([
      ...taskFacts(task),
      ['end it', isLive(task.state) ? commandFor({ kind: 'task', value: task.id }) : undefined],
      ['what happened', `mayfly timeline --task ${quoted(task.id)}`],
    ]),
  ];
  return { lines, answer };
}

async function ofApproval(id: string, connection: Connection): Promise<Explained> {
  const { whole, approval } = await readApproval(connection, id);
  const waits = approval.state === 'pending' && approval.answer !== undefined;
  const [first = '', ...facts] = approvalLines(approval);
  const lines = [
    `A question to people: ${first}`,
    ...facts,
    ...factLines([
      ['task', approval.task],
      ['answer it', waits ? `mayfly approvals show ${id}` : undefined],
      ['what happened', `mayfly timeline --task ${quoted(approval.task)}`],
    ]),
  ];
  return { lines, answer: whole };
}

async function ofDecision(id: string, { at, ask }: Connection): Promise<Explained> {
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
  ]);
  return { lines: ['A decision of policy.', ...facts], answer };
}

async function ofSignal(id: string, { at, ask }: Connection): Promise<Explained> {
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

async function ofRequest(id: string, { at, ask }: Connection): Promise<Explained> {
  const answer = await ask(at('/timeline', { requestId: id, limit: '1000' }));
  const { entries } = answered(timelineSchema, answer);
  const [first] = entries;
  if (!first) return { lines: ['A request, of which the audit log has nothing. The log of the broker may.'], answer };
  return { lines: ['A request. What happened in it:', ...timelineLines(entries, first)], answer };
}

async function ofRevocation(seq: number, { at, ask }: Connection): Promise<Explained> {
  const answer = await ask(at(`/revocations/${seq}`));
  const receipt = answered(receiptSchema, answer);
  const lines = [
    `A revocation: ${orderText(receipt)}${receipt.liftedBy === undefined ? '' : ', lifted'}.`,
    ...factLines([
      ['number', String(receipt.seq)],
      ['published', receipt.at],
      ['by', receipt.actor],
      ['reaction', receipt.reaction],
      ['because', receipt.reason],
      ['ticket', receipt.ticket],
      ['hit', counted(receipt.affected)],
      ['until', receipt.until],
      ['lift it', isInForce(receipt) ? `mayfly lift ${receipt.seq}` : undefined],
    ]),
  ];
  return { lines, answer };
}

/** A name may be of several kinds. Each that the broker has seen is told, with what lives under it and what holds it. */
async function ofName(selectors: readonly Selector[], connection: Connection): Promise<Explained> {
  const previews = await Promise.all(selectors.map((selector) => previewOf(selector, connection)));
  const known = previews.filter((preview) => typeof preview !== 'string').filter(isKnown);
  if (known.length === 0)
    throw new Error(previews.find((one) => typeof one === 'string') ?? 'Nothing was ever seen here of it.');
  const holds = await holdsInForce(connection, {});
  const lines = known.flatMap(({ selector, affected }) => [
    `A name: ${formatSelector(selector)}.`,
    ...factLines([
      ['alive under it', counted(affected)],
      ...holds
        .filter(({ selector: held }) => formatSelector(held) === formatSelector(selector))
        .map(({ seq, reason }) => [`held by ${seq}`, `${reason}; lift it: mayfly lift ${seq}`] as const),
      ['end it', commandFor(selector)],
      [
        'what happened',
        selector.kind === 'workload' ? `mayfly timeline --workload ${quoted(selector.value)}` : undefined,
      ],
    ]),
  ]);
  return { lines, answer: known };
}

const isKnown = ({ seen, affected }: Preview): boolean => seen !== false || affected.credentials + affected.tasks > 0;

/** Returns the sentence of the broker, where it says that nobody can have that name. */
async function previewOf(selector: Selector, { at, ask }: Connection): Promise<Preview | string> {
  try {
    return answered(previewSchema, await ask(at('/revocations'), { body: { selector, reason: REASON, dryRun: true } }));
  } catch (error) {
    if (error instanceof NotAnswered && error.code === 'invalid_request') return error.message;
    throw error;
  }
}

const ofRefusal = (code: string, { at }: Connection): Promise<Explained> =>
  Promise.resolve({
    lines: [`A refusal of the broker, ${code}: ${at('/errors').href}#${code} explains it.`],
    answer: { code },
  });

const ADDRESS: Explained = {
  lines: [
    'An e-mail address. The broker names persons <trust name>:<sub>; with `claims: [email]` also email:<trust name>/<address>.',
    'Ask again with that: mayfly whatis email:<trust name>/<address>',
  ],
  answer: {},
};
