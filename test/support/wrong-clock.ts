/** Processes that are told another time than the kernel knows: libfaketime answers them. */
import { spawnSync } from 'node:child_process';

const asked = spawnSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' });

/** The library, as the command `faketime` preloads it; empty where that is not installed. The command itself would stand before a process. */
export const fakeTime = asked.status === 0 ? asked.stdout.trim() : '';

/** The time that passes stays right: only the time of day is off, as on a host whose clock was set. */
export function told(seconds: number, ...argv: string[]): string[] {
  const offset = `FAKETIME=${seconds < 0 ? '' : '+'}${seconds}s`;
  return ['env', `LD_PRELOAD=${fakeTime}`, 'FAKETIME_DONT_FAKE_MONOTONIC=1', offset, ...argv];
}
