/** Processes of a benchmark: started here, measured here, and ended with it, each by its pid. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

export interface Child {
  pid: number;
  end(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const READY_WITHIN_MS = 20_000;
const END_WITHIN_MS = 12_000;

/** Starts a process, and resolves when it is ready. Its standard error is shown, its other output is not. */
export async function startChild(
  command: string,
  args: readonly string[],
  { env = {}, isReady }: { env?: Record<string, string>; isReady: () => Promise<boolean> },
): Promise<Child> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  const patience = AbortSignal.timeout(READY_WITHIN_MS);
  while (!(await isReady().catch(() => false))) {
    if (patience.aborted || !running.has(child)) throw new Error(`${command} did not become ready`);
    await pause(50);
  }
  return { pid: child.pid ?? 0, end: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
  await ended;
  clearTimeout(late);
}

/** A clock tick in /proc is 10 ms on every Linux that Node runs on. */
const MICROSECONDS_PER_TICK = 10_000;

/** The CPU time a process has used, all its threads together; NaN where there is no /proc. */
export function cpuMicroseconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name is in brackets and may contain spaces, so fields are counted after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MICROSECONDS_PER_TICK;
  } catch {
    return NaN;
  }
}
