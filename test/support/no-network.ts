/**
 * No test may reach beyond this machine: a test that does is slow, flaky, and shows a stranger what it tests.
 * Covers this process; processes that tests start are given loopback addresses only.
 */
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|(0*:)*:?0*1|::ffff:127(\.\d{1,3}){3})$/i;
const installed = Symbol.for('mayfly.no-network');

// Built-in modules are shared by all test files of a jest worker: wrapping them again for each file would pile up.
if (!(installed in net.Socket.prototype)) install();

function install(): void {
  const connect = Reflect.get(net.Socket.prototype, 'connect') as (...args: unknown[]) => net.Socket;
  Object.assign(net.Socket.prototype, {
    [installed]: true,
    connect(this: net.Socket, ...args: unknown[]) {
      refuseBeyondLoopback(hostOf(args));
      return connect.apply(this, args);
    },
  });
  for (const module of [dns, dns.promises]) {
    const lookup = Reflect.get(module, 'lookup') as (...args: unknown[]) => unknown;
    Reflect.set(module, 'lookup', (...args: unknown[]) => {
      refuseBeyondLoopback(String(args[0]));
      return lookup.apply(module, args);
    });
  }
  syncBuiltinESMExports();
}

/** `connect` takes (path), (port, host), ({ host, path }) and, from inside Node, all of it again wrapped in an array. */
function hostOf(args: unknown[]): string | undefined {
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  if (typeof first === 'object' && first !== null) {
    const { host, path } = first as { host?: string | null; path?: string | null };
    return typeof path === 'string' && path !== '' ? undefined : (host ?? 'localhost');
  }
  const isPath = typeof first === 'string' && !/^\d+$/.test(first);
  if (isPath) return undefined;
  return typeof second === 'string' ? second : 'localhost';
}

function refuseBeyondLoopback(host: string | undefined): void {
  if (host === undefined || LOOPBACK.test(host)) return;
  throw new Error(`tests do not reach beyond this machine (${host})`);
}
