/**
 * A small disk that a test can really fill: the kernel refuses every byte more. It is a file system of its own (tmpfs) where
 * this user may mount one. Elsewhere every process of the test gets a limit for the size of its files, which the kernel
 * refuses to exceed in the same way.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

export interface SmallDisk {
  directory: string;
  /** Leaves room for `left` bytes (none) and no more. `pid` is a process that writes there. */
  fill(pid: number, left?: number): void;
  free(pid: number): void;
  /** Returns the command line that runs a program on this disk as it is now. */
  command(...argv: string[]): string[];
}

const runs = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const mounts = (directory: string, bytes: number): boolean =>
  runs('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory);

/** Whether this user may mount a file system. */
export function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-disk-'));
  const may = mounts(directory, 65_536);
  if (may) runs('umount', directory);
  rmSync(directory, { recursive: true, force: true });
  return may;
}

/** Returns undefined where neither is possible. */
export function smallDisk(bytes: number): SmallDisk | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-disk-'));
  made.push(directory);
  if (mounts(directory, bytes)) return mounted(directory);
  return runs('prlimit', '--version') ? limited(directory) : undefined;
}

const made: string[] = [];
afterAll(() => {
  for (const directory of made) {
    runs('umount', '-l', directory);
    rmSync(directory, { recursive: true, force: true });
  }
});

function mounted(directory: string): SmallDisk {
  const filler = join(directory, 'filler');
  return {
    directory,
    fill(_pid, left = 0) {
      const { bavail, bsize } = statfsSync(directory);
      writeFileSync(filler, Buffer.alloc(bavail * bsize - left, 1));
    },
    free: () => rmSync(filler),
    command: (...argv) => argv,
  };
}

function limited(directory: string): SmallDisk {
  let limit: string | undefined;
  return {
    directory,
    fill(pid, left = 0) {
      limit = `--fsize=${largestFile(directory) + left}:unlimited`;
      execFileSync('prlimit', ['--pid', String(pid), limit]);
    },
    free(pid) {
      limit = undefined;
      execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited']);
    },
    command: (...argv) => (limit === undefined ? argv : ['prlimit', limit, ...argv]),
  };
}

const largestFile = (directory: string): number =>
  Math.max(
    ...readdirSync(directory, { recursive: true, encoding: 'utf8' }).map(
      (name) => statSync(join(directory, name)).size,
    ),
  );
