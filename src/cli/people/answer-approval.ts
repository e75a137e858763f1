/** What a person says to an approval by a command: to exactly what was shown, or to less. */
import { defined } from '../../domain/defined.js';
import { pairsOf } from '../../domain/access.js';
import type { Terminal } from '../terminal.js';
import {
  accessText,
  approvalLines,
  approvalSchema,
  readApproval,
  type ShownAccess,
  type ShownApproval,
} from './approval.js';
import { answered } from './answered.js';
import { connected, type Connection, type ConnectionOptions } from './connection.js';
import { agreed } from './keyboard.js';

interface Asking extends ConnectionOptions {
  yes?: true;
}

/** A yes, perhaps to less. */
interface Yes extends Asking {
  only?: string[];
  lifetime?: number;
  reason?: string;
}

const FOLLOWS = `If you declare an emergency, you agree in the place of everybody who would have to. The credential is short, all of them
and every webhook hear of it with your reason, and a review stays open until somebody else closes it.`;

export async function approve(id: string, options: Yes, terminal: Terminal): Promise<void> {
  const { connection, approval, answer } = await shown(id, options, terminal);
  if (answer.mayAnswerFor.length === 0) {
    const instead = answer.mayBreakGlass ? ` In an emergency: mayfly approvals emergency ${approval.id}` : '';
    throw new Error(`You may not agree to it.${instead}`);
  }
  const terms = lessOf(approval, options);
  await confirmed(`Agree to ${termsText(approval, terms)}?`, options, terminal);
  const { reason } = options;
  const after = await say(connection, approval, { decision: 'approve', reason, ...terms });
  terminal.out(after.state === 'pending' ? 'Your answer stands. Somebody else must agree too.' : stateText(after));
}

export async function declareEmergency(
  id: string,
  options: Yes & { reason: string },
  terminal: Terminal,
): Promise<void> {
  const { connection, approval, answer } = await shown(id, options, terminal);
  if (!answer.mayBreakGlass) throw new Error('No policy lets you agree to this in an emergency.');
  const terms = lessOf(approval, options);
  terminal.err(FOLLOWS);
  await confirmed(`Declare an emergency, for ${termsText(approval, terms)} at most?`, options, terminal);
  const { reason } = options;
  const after = await say(connection, approval, { decision: 'emergency', reason, ...terms });
  terminal.out(stateText(after));
  terminal.out(`Somebody else closes its review: mayfly approvals review ${after.id} --reason <what was found>`);
}

export async function deny(
  id: string,
  options: ConnectionOptions & { reason: string },
  terminal: Terminal,
): Promise<void> {
  const { connection, approval } = await shown(id, options, terminal);
  const { state } = await say(connection, approval, { decision: 'deny', reason: options.reason });
  terminal.out(`It is ${state}.`);
}

export async function review(
  id: string,
  { reason: note, ...options }: ConnectionOptions & { reason: string },
  terminal: Terminal,
): Promise<void> {
  const { at, ask } = await connected(options, terminal);
  answered(approvalSchema, await ask(at(`/approvals/${encodeURIComponent(id)}/review`), { body: { note } }));
  terminal.out('The review is closed.');
}

const stateText = ({ state, terms }: ShownApproval): string => `It is ${state}, for ${terms.lifetimeSeconds} seconds.`;

/** Shows the approval, and refuses what nobody can answer any more. What is answered afterwards is bound to what was shown. */
async function shown(id: string, options: ConnectionOptions, terminal: Terminal) {
  const connection = await connected(options, terminal);
  const { approval } = await readApproval(connection, id);
  for (const line of approvalLines(approval)) terminal.out(line);
  const { answer } = approval;
  if (approval.state !== 'pending') throw new Error('It can no longer be answered.');
  if (!answer) throw new Error('You may not answer it.');
  return { connection, approval, answer };
}

async function confirmed(question: string, { yes }: Asking, terminal: Terminal): Promise<void> {
  if (!yes && !(await agreed(question, terminal))) throw new Error('Nothing was answered.');
}

async function say({ at, ask }: Connection, { id, answer }: ShownApproval, said: object): Promise<ShownApproval> {
  const body = defined({ digest: answer?.digest, ...said });
  return answered(approvalSchema, await ask(at(`/approvals/${id}/decision`), { body }));
}

interface Less {
  access?: ShownAccess;
  lifetimeSeconds?: number;
}

const lessOf = ({ terms }: ShownApproval, { only, lifetime }: Yes): Less =>
  defined({ access: only?.map((text) => partOf(text, terms.access)), lifetimeSeconds: lifetime });

/**
 * Returns the access that a text names, as `<path>:<action>+<action>`. Paths and actions of AWS have colons of their own, so the
 * last colon behind which nothing but what is asked for stands divides them.
 */
function partOf(text: string, asked: ShownAccess): ShownAccess[number] {
  const known = new Set(pairsOf(asked).map(({ action }) => action));
  for (let at = text.lastIndexOf(':'); at > 0; at = text.lastIndexOf(':', at - 1)) {
    const actions = text.slice(at + 1).split('+');
    if (actions.every((action) => known.has(action))) return { path: text.slice(0, at), actions };
  }
  throw new Error(`Only what is asked for can be agreed to, written as in ${accessText(asked)}.`);
}

const termsText = ({ terms }: ShownApproval, { access, lifetimeSeconds }: Less): string =>
  `${accessText(access ?? terms.access)} for ${lifetimeSeconds ?? terms.lifetimeSeconds} seconds`;
