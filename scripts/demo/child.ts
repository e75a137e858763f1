/** A process of the demo: started, read from, and ended by its own id. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface Child {
  process: ChildProcess;
  /** Returns the last lines that the process wrote, for an error message. */
  lastWords: () => string;
  end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
}

const KEPT_CHARACTERS = 4_000;

type Environment = Record<string, string>;

export const startChild = (script: string, args: string[], env: Environment): Child =>
  startProgram(process.execPath, [script, ...args], env);

/** @param env The whole environment of the process: a REDIS_URL of the user's shell must not become the demo's store. */
export function startProgram(program: string, args: string[], env: Environment): Child {
  // When this process ends, its pipe ends too, and a child that reads standard input notices.
  const child = spawn(program, args, {
    // The second: AWS's SDK would print a warning about the age of Node.
    env: { PATH: process.env['PATH'] ?? '', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-KEPT_CHARACTERS)));
  }
  child.stdin.on('error', () => undefined);
  const exited = once(child, 'exit');
  return {
    process: child,
    lastWords: () => words.trim(),
    async end(signal) {
      child.kill(signal);
      await exited;
    },
  };
}
