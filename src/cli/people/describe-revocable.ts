/** What can be ended or taken back, for `mayfly whatis`: how it stands now, and the command that ends it. */
import { z } from 'zod';
import { textOf } from '../../client/request.js';
import { formatSelector, type Selector } from '../../domain/selector.js';
import { isLive } from '../../domain/task-outcome.js';
import { HANDLE_LABELS } from '../../targets/kinds.js';
import { NotAnswered } from '../broker-client.js';
import { answered } from './answered.js';
import { credentialSchema, workloadSchema } from './answers.js';
import { approvalLines, readApproval } from './approval.js';
import type { Connection } from './connection.js';
import { foreignToken } from './foreign-token.js';
import { holdsInForce } from './holds.js';
import { factLines, type Described, type Facts } from './lines.js';
import {
  commandFor,
  counted,
  isInForce,
  isOpen,
  isLeakedApproval,
  orderText,
  previewSchema,
  leakedApprovalSchema,
  quoted,
  receiptSchema,
  type LeakedApproval,
  type Preview,
  type Receipt,
} from './receipt.js';
import { taskFacts, taskSchema } from './task.js';

const REASON = 'mayfly whatis';

/** The text goes into the body of a request and nowhere else. The broker finds the token in it, in whatever it is wrapped. */
export async function describeToken(text: string, connection: Connection): Promise<Described> {
  const { at, ask } = connection;
  try {
    const body = { leaked: text, reason: REASON, dryRun: true };
    const found = answered(z.union([previewSchema, leakedApprovalSchema]), await ask(at('/revocations'), { body }));
    if (isLeakedApproval(found)) return describeLeakedApproval(found);
    const { lines, answer } = await describeCredential(found.selector.value, connection);
    return { lines: ['The text contains a credential of this broker.', ...lines], answer };
  } catch (error) {
    if (!(error instanceof NotAnswered) || error.code !== 'invalid_request') throw error;
    return { lines: [error.message, ...foreignToken(text)], answer: { code: error.code } };
  }
}

function describeLeakedApproval(found: LeakedApproval): Described {
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

export async function describeCredential(id: string, { at, ask }: Connection): Promise<Described> {
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

export async function describeTask(id: string, { at, ask }: Connection): Promise<Described> {
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

export async function describeApproval(id: string, connection: Connection): Promise<Described> {
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

export async function describeRevocation(seq: number, { at, ask }: Connection): Promise<Described> {
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
export async function describeName(selectors: readonly Selector[], connection: Connection): Promise<Described> {
  const previews = await Promise.all(selectors.map((selector) => previewOf(selector, connection)));
  const known = previews.filter((preview) => typeof preview !== 'string').filter(isKnown);
  if (known.length === 0)
    throw new Error(previews.find((one) => typeof one === 'string') ?? 'Nothing was ever seen here of it.');
  const holds = await holdsInForce(connection, {});
  const told = await Promise.all(known.map((preview) => nameLines(preview, { holds, connection })));
  return { lines: told.flat(), answer: known };
}

async function nameLines(
  { selector, affected }: Preview,
  { holds, connection }: { holds: readonly Receipt[]; connection: Connection },
): Promise<string[]> {
  const { kind, value } = selector;
  const name = formatSelector(selector);
  return [
    `A name: ${name}.`,
    ...factLines([
      ...(kind === 'workload' ? await whoseItIs(value, connection) : []),
      ['alive under it', counted(affected)],
      ...holds
        .filter((hold) => formatSelector(hold.selector) === name)
        .map(({ seq, reason }) => [`held by ${seq}`, `${reason}; lift it: mayfly lift ${seq}`] as const),
      ['end it', commandFor(selector)],
      ['what happened', kind === 'workload' ? `mayfly timeline --workload ${quoted(value)}` : undefined],
    ]),
  ];
}

async function whoseItIs(workload: string, { at, ask }: Connection): Promise<Facts> {
  const { owner, risk } = answered(workloadSchema, await ask(at(`/workloads/${encodeURIComponent(workload)}`)));
  return [
    ['team', owner && [owner.name, ...(owner.contact === undefined ? [] : [owner.contact])].join(', ')],
    ['runbook', owner?.runbook],
    ['risk', risk],
  ];
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
