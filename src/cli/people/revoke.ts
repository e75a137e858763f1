/** `mayfly revoke`: shows first what would be hit, asks, and then revokes exactly that. */
import { Option, type Command } from 'commander';
import { z } from 'zod';
import { defined } from '../../domain/defined.js';
import { EFFECTS, SELECTOR_KINDS, type Effect, type Selector, type SelectorKind } from '../../domain/selector.js';
import { masked } from '../../domain/text.js';
import { selectorKindOf, timestampOf, type Terminal } from '../terminal.js';
import { answered } from './answered.js';
import { connected, withConnection, type Connection, type ConnectionOptions } from './connection.js';
import { agreed, pasted } from './keyboard.js';
import { jsonLine } from './lines.js';
import {
  counted,
  isInForce,
  isOpen,
  isLeakedApproval,
  orderText,
  previewSchema,
  leakedApprovalSchema,
  leakedApprovalText,
  receiptSchema,
  type LeakedApproval,
  type Preview,
} from './receipt.js';

interface RevokeOptions extends ConnectionOptions {
  leaked?: true;
  effect?: Effect;
  reason: string;
  ticket?: string;
  until?: string;
  unseen?: true;
  dryRun?: true;
  yes?: true;
  json?: true;
}

const EXAMPLE = `
  mayfly revoke workload lab:agent-7 --reason 'odd requests'
  mayfly revoke --leaked --reason 'found in a ticket'      (paste what was found)

What would be hit is shown first, and nothing happens until you type yes.`;

export function addRevoke(program: Command, terminal: Terminal): void {
  withConnection(program.command('revoke'))
    .description('end, cut off or hold whatever hangs on a selector, or a credential or deferral code that leaked')
    .argument('[kind]', SELECTOR_KINDS.join(', '), selectorKindOf)
    .argument('[value]', 'the id or name, such as lab:agent-7 for a workload; none for all')
    .option('--leaked', 'in place of both: the credential or deferral code in a text that you paste or pipe in')
    .addOption(
      new Option('--effect <effect>', 'default: end for credential and task, hold for all else').choices(EFFECTS),
    )
    .requiredOption('--reason <text>', 'for the audit log')
    .option('--ticket <id>', 'a number in your own system')
    .option('--until <time>', 'of a hold: when it is lifted by itself, as in RFC 3339', timestampOf)
    .option('--unseen', 'it is meant, although nothing was ever seen of it')
    .option('--dry-run', 'show what it would hit, and revoke nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print what the broker answers')
    .addHelpText('after', EXAMPLE)
    .action(async (kind: SelectorKind | undefined, value: string | undefined, options: RevokeOptions) => {
      if ((kind === undefined) === (options.leaked === undefined))
        throw new Error('Say a kind and a value, or --leaked.');
      const connection = await connected(options, terminal);
      const what =
        kind === undefined ? { leaked: await leakedText(terminal) } : { selector: { kind, value: value ?? '' } };
      await revoke(connection, { what, ...options }, terminal);
    });
}

async function revoke(
  { at, ask }: Connection,
  { what, effect, reason, ticket, until, unseen, dryRun, yes, json }: RevokeOptions & { what: object },
  terminal: Terminal,
): Promise<void> {
  const say = json ? terminal.err : terminal.out;
  const order = defined({ effect, reason, ticket, until });
  const previewed = await ask(at('/revocations'), { body: { ...what, ...order, dryRun: true } });
  const preview = answered(z.union([previewSchema, leakedApprovalSchema]), previewed);
  say(masked(isLeakedApproval(preview) ? leakedApprovalPreview(preview) : previewText(preview)));
  if (dryRun) {
    if (json) terminal.out(jsonLine(previewed));
    return;
  }
  if (!yes && !(await agreed('Do it?', terminal))) throw new Error('Nothing was revoked.');
  if (isLeakedApproval(preview)) {
    const done = await ask(at('/revocations'), { body: { ...what, reason, ...defined({ ticket }) } });
    say(masked(`${leakedApprovalText(answered(leakedApprovalSchema, done))}.`));
    if (json) terminal.out(jsonLine(done));
    return;
  }
  // What was shown is what is revoked: a leaked text is not searched a second time.
  const { selector } = preview as { selector: Selector };
  const published = await ask(at('/revocations'), { body: defined({ selector, ...order, unseen }) });
  const receipt = answered(receiptSchema, published);
  say(masked(`${receipt.seq}: ${orderText(receipt)} is in force, and hit ${counted(receipt.affected)}.`));
  if (isInForce(receipt)) say(`Nothing new is born under it until you lift it: mayfly lift ${receipt.seq}`);
  if (json) terminal.out(jsonLine(published));
}

const leakedApprovalPreview = (found: LeakedApproval): string =>
  `${leakedApprovalText(found)}. ${isOpen(found) ? 'It would be taken back.' : 'Nothing more is granted by it.'}`;

function previewText(preview: Preview): string {
  const unseen = preview.seen === false ? ' Nothing was ever seen here of it: --unseen says that it is meant.' : '';
  return `${orderText(preview)} would hit ${counted(preview.affected)}.${unseen}`;
}

async function leakedText(terminal: Terminal): Promise<string> {
  const text = await pasted(terminal);
  if (text === '') throw new Error('Nothing was pasted or piped in.');
  return text;
}
