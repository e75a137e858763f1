/** How a command gets at its credential: by a file, or by something on loopback. All of it ends with the command. */
import type { Task } from '../client/index.js';
import { defined } from '../domain/defined.js';
import { wishOf, type AgentOptions } from './agent-options.js';
import { keepInFile } from './token-file.js';

export interface HandingOptions extends AgentOptions {
  target: string;
  endpoint?: true;
  aws?: true;
  proxy?: string;
  allow?: string[];
  env?: string;
}

/** What the command finds, and how that is taken away. */
export interface HandedOver {
  /** Variables for its environment; undefined for those that it must not have. */
  env: NodeJS.ProcessEnv;
  close: () => Promise<void>;
}

interface Surroundings {
  environment: NodeJS.ProcessEnv;
  report: (error: unknown) => void;
  /** Says to people what the program waits for. */
  tell: (text: string) => void;
}

/** The code of each way is loaded for it alone, so that a command which needs none of them starts sooner. */
export async function handOver(
  task: Task,
  options: HandingOptions,
  { environment, report, tell }: Surroundings,
): Promise<HandedOver> {
  const { target, proxy, allow, env: name } = options;
  const wish = wishOf(options, tell);
  const direct = pastProxies(environment);
  if (proxy !== undefined) {
    const start = await import('./loopback/proxy.js').then(({ startProxy }) => startProxy);
    const { url, close } = await start(task, { url: proxy, target, wish, allow });
    return { env: { MAYFLY_PROXY_URL: url, ...(name !== undefined && { [name]: url }), ...direct }, close };
  }
  if (options.aws) {
    const start = await import('./aws/session-for-command.js').then(({ startSessions }) => startSessions);
    const { env, close } = await start(
      task,
      target,
      defined({ access: options.access, waitForApproval: wish.waitForApproval }),
    );
    return { env: { ...env, ...direct }, close };
  }
  if (options.endpoint) {
    const start = await import('./loopback/credentials.js').then(({ startEndpoint }) => startEndpoint);
    const { url, close } = await start(task, target, wish);
    return { env: { MAYFLY_TOKEN_URL: url, ...direct }, close };
  }
  const { path, close } = await keepInFile(async () => (await task.credential(target, wish)).token, report);
  return { env: { MAYFLY_TOKEN_FILE: path }, close };
}

/** What is on loopback must not be asked for through the proxy of the company, which would read the address. */
function pastProxies({ NO_PROXY, no_proxy }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const withLoopback = (hosts: string | undefined) => [hosts, '127.0.0.1'].filter(Boolean).join(',');
  return { NO_PROXY: withLoopback(NO_PROXY ?? no_proxy), no_proxy: withLoopback(no_proxy ?? NO_PROXY) };
}
