/** `mayfly proxy`: stands in front of an API for as long as it runs, and adds the credential of a task to each request. */
import { rm } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import type { Task } from '../client/index.js';
import { defined } from '../domain/defined.js';
import { addAgentOptions, brokerOf, wishOf, type AgentOptions } from './agent-options.js';
import { hearEnd } from './hear-end.js';
import { allowedPath, apiUrl } from './loopback/path.js';
import { startProxy } from './loopback/proxy.js';
import { wholeSeconds, type Terminal } from './terminal.js';
import { replaceFile } from './token-file.js';

interface Options extends AgentOptions {
  target?: string;
  task?: string;
  purpose?: string;
  heartbeat?: number;
  allow?: string[];
  urlFile?: string;
}

const EXAMPLE = `
  mayfly proxy https://tickets.example --broker https://mayfly.example --token-file /var/run/secrets/mayfly/token \\
    --purpose triage --access incident/4711:read --allow /incident/4711

It prints one line: the address at which the API is. Whoever knows the address may use it, so keep it as you keep a password.
With --purpose it opens a task, and completes it when it is told to end (SIGTERM). With --task it works under a task that somebody
else keeps alive. When the task ends, so does the proxy.`;

export function addProxy(program: Command, { out, err }: Terminal): void {
  addAgentOptions(program.command('proxy'))
    .description('stand in front of an API, and add the credential of a task to each request')
    .argument('<url>', 'the API', apiUrl)
    .option('--target <resource>', 'the target of the credential; default: the url')
    .option('--purpose <text>', 'what the task is for')
    .addOption(new Option('--task <id>', 'or under which open task').conflicts(['purpose', 'heartbeat']))
    .option('--heartbeat <seconds>', 'how often the broker hears that the proxy runs; default: 30', wholeSeconds)
    .option('--allow <paths...>', 'nothing but these paths, each with all below it', allowedPath)
    .option(
      '--url-file <path>',
      'write the address to this file, for its user alone, and print nothing; it is removed at the end',
    )
    .addHelpText('after', EXAMPLE)
    .action(async (url: string, options: Options) => {
      const { task: id, purpose, heartbeat: heartbeatSeconds } = options;
      const broker = brokerOf(options);
      const serve = (task: Task) => serveUntilTold(task, url, { ...options, out, err });
      if (id !== undefined) return serve(broker.under(id));
      if (purpose === undefined) throw new Error('Give --purpose <text> or --task <id>.');
      return broker.run(defined({ purpose, heartbeatSeconds }), serve);
    });
}

/** Throws TaskEnded when the task ends under it. */
async function serveUntilTold(
  task: Task,
  url: string,
  { out, err, urlFile, target = url, allow, ...options }: Options & Pick<Terminal, 'out' | 'err'>,
): Promise<void> {
  const wish = wishOf(options, err);
  const proxy = await startProxy(task, { url, target, wish, allow });
  const stop = hearEnd(task, target, wish);
  try {
    const told = toldToEnd(task.signal);
    if (urlFile === undefined) out(proxy.url);
    else await replaceFile(urlFile, `${proxy.url}\n`);
    await told;
  } finally {
    stop();
    await proxy.close();
    // Somebody else may get its port next.
    if (urlFile !== undefined) await rm(urlFile, { force: true });
  }
}

const toldToEnd = (ended: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => resolve());
    ended.addEventListener('abort', () => reject(ended.reason as Error));
  });
