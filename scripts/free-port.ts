/**
 * A loopback port for servers that must know theirs before they listen. Nobody else is given it between here and there: systems
 * take the ports of outgoing connections, and of those who listen at port 0, from 32768 up, so these come from below, by chance
 * because other processes take theirs here too, and none is given twice.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

const given = new Set<number>();

export async function freePort(): Promise<number> {
  const port = randomInt(20_000, 32_768);
  if (given.has(port) || !(await isFree(port))) return freePort();
  given.add(port);
  return port;
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
