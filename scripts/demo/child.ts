/** A process of the demo: started, listened to, and ended by its own id. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface Child {
  process: ChildProcess;
  /** The last of what it wrote, for when it fails. */
  lastWords: () => string;
  end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
}

const KEPT_CHARACTERS = 4_000;

/** @param env What it needs and nothing else: a REDIS_URL of the person's shell must not become the demo's store. */
export function startChild(script: string, args: string[], env: Record<string, string>): Child {
  // When this process vanishes, the pipe to it ends; who reads its standard input notices.
  const child = spawn(process.execPath, [script, ...args], {
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
