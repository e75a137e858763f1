/**
 * `mayfly revocations`: revokes, lists and lifts on the broker's host, when no other way is left. It needs no identity, but the
 * credentials of the store.
 */
import { Option, type Command } from 'commander';
import { locally } from '../compose/local.js';
import { defined } from '../domain/defined.js';
import { LOCAL } from '../domain/reserved.js';
import { EFFECTS, formatSelector, SELECTOR_KINDS, type Effect, type SelectorKind } from '../domain/selector.js';
import { masked } from '../domain/text.js';
import { toTimestamp } from '../domain/time.js';
import { countImpact, type Affected } from '../ledger/impact.js';
import { allReceipts, type Receipt } from '../ledger/receipts.js';
import { assertSeen } from '../revocation/assert-seen.js';
import { fittingEffect, publishRevocation } from '../revocation/publish-revocation.js';
import { publishLift } from '../revocation/receipts.js';
import { CONFIG, revocationNumberOf, selectorKindOf, timestampOf, type Terminal } from './terminal.js';

interface RevokeOptions {
  effect?: Effect;
  reason: string;
  ticket?: string;
  until?: number;
  unseen?: boolean;
  dryRun?: boolean;
  config?: string;
}

export function addRevocations(program: Command, terminal: Terminal): void {
  const revocations = program
    .command('revocations')
    .description("revoke, list and lift with the store's own credentials, when no other way is left");
  addRevoke(revocations, terminal);
  addList(revocations, terminal);
  addLift(revocations, terminal);
}

function addRevoke(revocations: Command, { out, clock }: Terminal): void {
  revocations
    .command('revoke')
    .description('end, cut off or hold whatever hangs on a selector')
    .argument('<kind>', SELECTOR_KINDS.join(', '), selectorKindOf)
    .argument('[value]', 'the id, such as lab:agent-7 for a workload; none for all', '')
    .addOption(
      new Option('--effect <effect>', 'default: end for credential and task, hold for all else').choices(EFFECTS),
    )
    .requiredOption('--reason <text>', 'for the audit log')
    .option('--ticket <id>')
    .option('--until <time>', 'of a hold: when it is lifted by itself, as in RFC 3339', (text) =>
      Date.parse(timestampOf(text)),
    )
    .option('--unseen', 'it is meant, although nothing was ever seen of it')
    .option('--dry-run', 'count what it would hit, and revoke nothing')
    .option(...CONFIG)
    .action(
      (kind: SelectorKind, value: string, { config, dryRun = false, unseen = false, until, ...order }: RevokeOptions) =>
        locally(config, clock, async ({ ledger, config: { trust, targets } }) => {
          const selector = { kind, value };
          const timed = defined({ ...order, liftAt: until });
          const effect = fittingEffect(selector, timed, ledger.clock.uncheckedEarliest());
          const settings = { trust, targets: targets.map(({ resource }) => resource) };
          const seen = await assertSeen({ ledger, settings }, selector, { unseen: unseen || dryRun, by: '--unseen' });
          const unseenNote = seen === false ? ', of which nothing was ever seen here,' : '';
          if (dryRun) {
            out(
              `${effect} of ${formatSelector(selector)}${unseenNote} would hit ${counted(await countImpact(ledger, { selector, at: ledger.clock.unchecked() }))}`,
            );
            return;
          }
          const receipt = await publishRevocation(ledger, defined({ ...timed, selector, effect, actor: LOCAL, seen }));
          out(`${receipt.seq}: ${effect} of ${formatSelector(selector)}${unseenNote} hit ${counted(receipt.affected)}`);
        }),
    );
}

function addList(revocations: Command, { out, clock }: Terminal): void {
  revocations
    .command('list')
    .description('what was revoked and is remembered, oldest first')
    .option(...CONFIG)
    .action(({ config }: { config?: string }) =>
      locally(config, clock, async ({ ledger }) => {
        for await (const page of allReceipts(ledger)) for (const receipt of page) out(line(receipt));
      }),
    );
}

function addLift(revocations: Command, { out, clock }: Terminal): void {
  revocations
    .command('lift')
    .description('lift a hold: new credentials are possible, what it killed stays dead')
    .argument('<number>', 'of the hold, as listed', revocationNumberOf)
    .option('--reason <text>', 'for the audit log', 'lifted')
    .option(...CONFIG)
    .action((seq: number, { config, reason }: { config?: string; reason: string }) =>
      locally(config, clock, async ({ ledger }) => {
        const { selector } = await publishLift(ledger, seq, { actor: LOCAL, reason });
        out(`${seq}: the hold of ${formatSelector(selector)} is lifted`);
      }),
    );
}

const line = ({ seq, at, effect, selector, lifted, actor, reason }: Receipt): string =>
  masked(
    `${seq}  ${toTimestamp(at)}  ${effect}${lifted === undefined ? '' : ' (lifted)'} of ${formatSelector(selector)}  by ${actor}: ${reason}`,
  );

const counted = (affected: Affected | undefined): string =>
  affected ? `${affected.credentials} credentials of ${affected.tasks} tasks` : 'what a broker is counting now';
