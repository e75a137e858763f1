/** Runs a command as a shell would: signals reach it, and its end is the exit code. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** A command that is told to end gets so long. */
const PATIENCE_MS = 10_000;
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Surroundings {
  env: NodeJS.ProcessEnv;
  /** When it is aborted, the command is told to end (SIGTERM), and killed after ten seconds. */
  until: AbortSignal;
}

/** Returns the exit code of the command: as a shell says it, 128 and the number of the signal that ended it. */
export function runCommand([name = '', ...argv]: readonly string[], { env, until }: Surroundings): Promise<number> {
  const child = spawn(name, argv, { stdio: 'inherit', env });
  const forward = (signal: NodeJS.Signals) => void child.kill(signal);
  for (const signal of FORWARDED) process.on(signal, forward);
  let killing: NodeJS.Timeout | undefined;
  const end = () => {
    child.kill('SIGTERM');
    killing = setTimeout(() => void child.kill('SIGKILL'), PATIENCE_MS);
  };
  if (until.aborted) end();
  until.addEventListener('abort', end);
  return new Promise<number>((resolve, reject) => {
    child.on('error', (cause) => {
      reject(new Error(`${name} cannot be run.`, { cause }));
    });
    child.on('exit', (code, signal) => {
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  }).finally(() => {
    clearTimeout(killing);
    until.removeEventListener('abort', end);
    for (const signal of FORWARDED) process.off(signal, forward);
  });
}
