/** `mayfly rotate-keys`: makes a new signing key. It signs in an hour, or at once when the current key is in doubt. */
import type { Command } from 'commander';
import { locally } from '../compose/local.js';
import { defined } from '../domain/defined.js';
import { LOCAL } from '../domain/reserved.js';
import { CONFIG, type Terminal } from './terminal.js';

interface Options {
  now?: boolean;
  distrustOld?: boolean;
  config?: string;
}

export function addRotateKeys(program: Command, { out, clock }: Terminal): void {
  program
    .command('rotate-keys')
    .description('announce a new signing key, to be used in an hour; running brokers follow within seconds')
    .option('--now', 'use a new key at once: verifiers fetch it when they first meet it')
    .option('--distrust-old', 'use a new key at once and withdraw all others: every token signed before is dead')
    .option(...CONFIG)
    .action(({ now = false, distrustOld = false, config }: Options) =>
      locally(config, clock, async ({ ledger, signing }) => {
        const { keys, audit } = await signing();
        const steps = await keys.rotate({ now, distrustOld });
        const [current, ...others] = (await keys.jwks()).keys.map(({ kid }) => kid);
        for (const step of steps) {
          const installed = defined({ installed: current });
          await audit.append({
            type: 'keys.rotated',
            at: ledger.clock.unchecked(),
            actor: { id: LOCAL },
            reason: step,
            ...installed,
          });
        }
        out(`${steps.length > 0 ? steps.join(', ') : 'announced already'}: signing with ${current ?? ''}`);
        if (others.length > 0) out(`  also published: ${others.join(', ')}`);
      }),
    );
}
