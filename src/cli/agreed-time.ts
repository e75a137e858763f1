/**
 * `mayfly agreed-time`: the time that brokers and store have agreed on, and the way back when it lies ahead. It needs the
 * credentials of the store.
 */
import type { Command } from 'commander';
import { readTimes, takeBackAgreedTime } from '../compose/agreed-time.js';
import { locally } from '../compose/local.js';
import { toTimestamp } from '../domain/time.js';
import { CONFIG, type Terminal } from './terminal.js';

export function addAgreedTime(program: Command, { out, clock }: Terminal): void {
  const agreedTime = program
    .command('agreed-time')
    .description('the highest time that brokers and store have agreed on: no clock behind it is believed');
  agreedTime
    .command('show')
    .description('print it beside the times of this host and of the store')
    .option(...CONFIG)
    .action(({ config }: { config?: string }) =>
      locally(config, clock, async ({ store, system }) => {
        const times = await readTimes(store, system);
        out(`this host: ${toTimestamp(times.host)}`);
        out(`the store: ${toTimestamp(times.store)}`);
        out(`agreed on: ${agreedOn(times)}`);
      }),
    );
  agreedTime
    .command('remove')
    .description('after a wrong time was agreed on: end everything, so that brokers can believe the right time again')
    .requiredOption('--everything-dies', 'every credential, every task, and every proof of identity issued until now')
    .requiredOption('--reason <text>', 'for the audit log')
    .option(...CONFIG)
    .action(({ config, reason }: { config?: string; reason: string }) =>
      locally(config, clock, async (local) => {
        await takeBackAgreedTime(local, reason);
        out('Everything older is dead, and the time agreed on is removed. Brokers agree on a new one within seconds.');
      }),
    );
}

function agreedOn({ host, agreed }: Awaited<ReturnType<typeof readTimes>>): string {
  if (!agreed) return 'none yet';
  const { time } = agreed.value;
  const seconds = Math.round(Math.abs(time - host) / 1000);
  return `${toTimestamp(time)}, ${seconds} s ${time > host ? 'ahead of' : 'behind'} this host`;
}
