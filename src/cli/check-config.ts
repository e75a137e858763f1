/** `mayfly check-config`: prints every mistake in a configuration with its line, or a summary of a valid one with its warnings. */
import type { Command } from 'commander';
import { loadConfig, type LoadedConfig } from '../config/load.js';
import { problemText } from '../config/problem.js';
import { defined } from '../domain/defined.js';
import type { Terminal } from './terminal.js';

export function addCheckConfig(program: Command, { out }: Terminal): void {
  program
    .command('check-config')
    .description('say everything that is wrong with a configuration file, with line and reason')
    .argument('[file]', 'the configuration; default: MAYFLY_CONFIG')
    .option('--elsewhere', 'it is for another machine: the files it names need not exist here')
    .action(async (file: string | undefined, options: { elsewhere?: boolean }) => {
      const loaded = await loadConfig(defined({ path: file, checkFiles: options.elsewhere !== true }));
      out(summary(loaded));
    });
}

function summary({ path, config, store, warnings }: LoadedConfig): string {
  const trusted = config.trust.map(({ name, kind }) => `${name} (${kind})`).join(', ');
  return [
    `${path}: sound`,
    `  issuer   ${config.issuer}`,
    `  store    ${storeText(store)}`,
    `  trusts   ${trusted}`,
    `  targets  ${config.targets.map(({ resource }) => resource).join(', ')}`,
    ...warnings.map((warning) => `warning: ${problemText(warning)}`),
  ].join('\n');
}

function storeText(store: LoadedConfig['store']): string {
  if (store.kind === 'lmdb') return `lmdb in ${store.directory}`;
  if ('sentinels' in store) return `redis ${store.name}, by sentinels`;
  return store.cluster ? 'redis cluster' : 'redis';
}
