/**
 * One broker per data directory. The owner is written in the database itself, so that claiming is a transaction and two
 * brokers cannot both succeed. The claim counts only while the process that it names lives, so that a killed broker leaves
 * nothing to clean up. Processes in different PID namespaces do not see each other: containers must not share a directory.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { pid } from 'node:process';
import type { Tables } from './tables.js';

/** Claims the directory for this process, and returns a function that gives it up. Throws, naming the owner, when there is one. */
export function own({ environment, head }: Tables, directory: string): () => void {
  const me = `${pid} ${startOf(pid) ?? ''}`;
  const owner = environment.transactionSync(() => {
    const claimed = head.get('owner');
    if (claimed !== undefined && isAlive(claimed)) return claimed;
    void head.put('owner', me);
    return undefined;
  });
  if (owner !== undefined) {
    void environment.close();
    throw new Error(`${directory} belongs to the running broker with process id ${owner.split(' ')[0] ?? ''}`);
  }
  return () => {
    try {
      head.removeSync('owner');
    } catch {
      // On a disk that takes no write the claim stays, and counts for nothing once this process has ended.
    }
  };
}

function isAlive(owner: string): boolean {
  const [id] = owner.split(' ');
  const start = startOf(Number(id));
  return start !== undefined && owner === `${id ?? ''} ${start}`;
}

/**
 * Returns when a process started, as the system writes it; undefined when there is none. A process id alone may be used
 * again.
 */
function startOf(id: number): string | undefined {
  try {
    return process.platform === 'linux' ? startOnLinux(id) : startElsewhere(id);
  } catch {
    return undefined;
  }
}

function startOnLinux(id: number): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
  // The process name is in parentheses and may contain anything. The start is the 22nd field, the 20th after it (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z') throw new Error('a zombie process owns nothing');
  return `${boot}/${fields[19] ?? ''}`;
}

const startElsewhere = (id: number): string =>
  execFileSync('ps', ['-o', 'lstart=', '-p', String(id)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .trim()
    .replaceAll(' ', '-');
