/** The headers that pass through the proxy, and those that end there. */
import type { IncomingMessage } from 'node:http';

/** They speak of one connection (RFC 9110 §7.6.1), and that ends here; so does what asks for another protocol. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * Returns the headers for the API. Whatever the command sent as `Authorization` is gone, also where it says that the header belongs
 * to the connection: that is looked at before the credential is added.
 */
export function forApi({ rawHeaders, headers }: IncomingMessage, token: string): string[] {
  const dropped = new Set([...HOP_BY_HOP, ...namedBy(headers.connection), 'authorization', 'host', 'expect']);
  return [...without(rawHeaders, dropped), 'Authorization', `Bearer ${token}`];
}

/** Returns the headers for the command. What leads to elsewhere below the API leads through the proxy again. */
export function forCommand(raw: readonly string[], { upstream, self, path }: Relocation): string[] {
  const dropped = new Set([
    ...HOP_BY_HOP,
    ...pairs(raw).flatMap(([name, value]) => (isNamed(name, 'connection') ? namedBy(value) : [])),
  ]);
  const kept = pairs(without(raw, dropped));
  return kept.flatMap(([name, value]) => [
    name,
    isNamed(name, 'location') ? relocated(value, { upstream, self, path }) : value,
  ]);
}

interface Relocation {
  upstream: URL;
  /** The address of the proxy, without a slash at its end. */
  self: string;
  /** What was asked for below both. */
  path: string;
}

/** To another host, or out of the path of the API, the command goes by itself, and without the credential. */
function relocated(location: string, { upstream, self, path }: Relocation): string {
  const base = upstream.pathname.replace(/\/$/, '');
  const asked = `${upstream.origin}${base}${path}`;
  if (!URL.canParse(location, asked)) return location;
  const to = new URL(location, asked);
  const isBelow = to.origin === upstream.origin && (to.pathname === base || to.pathname.startsWith(`${base}/`));
  return isBelow ? `${self}${to.pathname.slice(base.length)}${to.search}${to.hash}` : to.href;
}

const isNamed = (name: string, wanted: string): boolean => name.toLowerCase() === wanted;

const namedBy = (connection = ''): string[] => connection.split(',').map((name) => name.trim().toLowerCase());

const without = (raw: readonly string[], dropped: ReadonlySet<string>): string[] =>
  pairs(raw).flatMap((pair) => (dropped.has(pair[0].toLowerCase()) ? [] : pair));

/** Node and undici give headers as they came: a name, its value, the next name. */
const pairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1] ?? ''] as [string, string]] : []));
