/**
 * The proxy of the environment: which requests go through it, and the tunnel that it opens (CONNECT, RFC 9110 §9.3.6). TLS runs
 * through the tunnel from the broker to the server, so a proxy learns which host is called, and can neither read nor answer.
 */
import https from 'node:https';
import { BlockList, isIP, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { buildConnector, Client } from 'undici';
import { errorCode } from '../domain/error-code.js';
import { isLoopback } from '../domain/safe-origin.js';

/** Returns the proxy that a request to this address goes through; undefined: none. */
export type ProxyFor = (target: URL) => URL | undefined;

export const noProxy: ProxyFor = () => undefined;

/** As the environment says it: `HTTPS_PROXY` and `NO_PROXY`. */
interface ProxySettings {
  url: string;
  /** Hosts with all that is below them, addresses, networks (`10.0.0.0/8`), or `*`; each may have a port. */
  except: string;
}

/** This machine is never behind a proxy: http is allowed to it because nobody else is on the way. */
export function createProxyFor(settings: ProxySettings | undefined): ProxyFor {
  if (!settings) return noProxy;
  const proxy = new URL(settings.url);
  const exceptions = settings.except.split(/[\s,]+/).flatMap((entry) => (entry === '' ? [] : [exceptionOf(entry)]));
  return (target) => {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (isLoopback(target.hostname) || exceptions.some((covers) => covers(host, target.port || '443')))
      return undefined;
    return proxy;
  };
}

type Exception = (host: string, port: string) => boolean;

function exceptionOf(entry: string): Exception {
  if (entry === '*') return () => true;
  const [, address = '', bits] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (isIP(address)) return inNetwork(address, Number(bits));
  const [, written = '', port] = /^(\[.+\]|[^:]+):(\d+)$/.exec(entry) ?? [undefined, entry];
  const name = written.replace(/^\*?\.|^\[|\]$/g, '').toLowerCase();
  return (host, itsPort) => (host === name || host.endsWith(`.${name}`)) && (port === undefined || port === itsPort);
}

/** A network that there cannot be (`10.0.0.0/40`) covers nothing. */
function inNetwork(address: string, bits: number): Exception {
  const network = new BlockList();
  const family = (text: string) => (isIP(text) === 6 ? 'ipv6' : 'ipv4');
  if (bits <= (isIP(address) === 6 ? 128 : 32)) network.addSubnet(address, bits, family(address));
  return (host) => isIP(host) !== 0 && network.check(host, family(host));
}

/**
 * There is no tunnel. The code says why: `PROXY_REFUSED_407` with the status of the proxy's answer, or `PROXY_ECONNREFUSED`. It
 * contains no text of the proxy, and is none of undici's codes: undici would connect again at once, as often as it fails.
 */
class ProxyFailed extends Error {
  override name = 'ProxyFailed';
  readonly code: string;

  constructor(why: string) {
    super('The proxy opened no connection.');
    this.code = `PROXY_${why}`;
  }
}

interface Tunnel {
  /** `host:port` of the server. */
  to: string;
  /** Bounds the connection to the proxy, and its answer. */
  timeoutMs: number;
}

/** Returns a connection to the server, on which nothing was sent yet. Whoever gets it closes it. */
async function openTunnel(proxy: URL, { to, timeoutMs }: Tunnel): Promise<Socket> {
  const { username, password, origin } = proxy;
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const headers = { host: to, ...(username !== '' && { 'proxy-authorization': `Basic ${login}` }) };
  const client = new Client(origin, { connect: { rejectUnauthorized: true, timeout: timeoutMs } });
  try {
    const { statusCode, socket } = await client
      .connect({ path: to, headers, signal: AbortSignal.timeout(timeoutMs) })
      .catch((error: unknown) => {
        throw new ProxyFailed(errorCode(error) ?? 'FAILED');
      });
    if (statusCode >= 200 && statusCode < 300 && socket instanceof Socket) return socket;
    socket.on('error', () => undefined).destroy();
    throw new ProxyFailed(`REFUSED_${statusCode}`);
  } finally {
    // The tunnel is no longer the client's: it stays open.
    void client.destroy();
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new ProxyFailed('FAILED'));

/** Returns undici's way to connect: through the proxy, and then TLS with these settings. */
export function tunnelConnector(
  proxy: URL,
  { timeout, ...secured }: buildConnector.BuildOptions & { timeout: number; rejectUnauthorized: true },
): buildConnector.connector {
  const secure = buildConnector({ ...secured, timeout });
  return (options, callback) => {
    const { hostname, port } = options;
    openTunnel(proxy, { to: `${hostname}:${port || '443'}`, timeoutMs: timeout }).then(
      (httpSocket) => secure({ ...options, httpSocket }, callback),
      (error: unknown) => callback(asError(error), null),
    );
  };
}

/** Returns an agent for clients that are made on node:https, such as those of AWS's SDK. */
export const tunnelAgent = (proxy: URL, timeoutMs: number): https.Agent => new TunnelAgent(proxy, timeoutMs);

class TunnelAgent extends https.Agent {
  readonly #proxy: URL;
  readonly #timeoutMs: number;

  constructor(proxy: URL, timeoutMs: number) {
    super({ keepAlive: true, maxSockets: 50, rejectUnauthorized: true });
    this.#proxy = proxy;
    this.#timeoutMs = timeoutMs;
  }

  /** Node waits for the callback where nothing is returned. */
  override createConnection(
    options: https.RequestOptions & tls.ConnectionOptions,
    callback: (error: Error | null, stream?: Duplex) => void,
  ): undefined {
    const { host, port } = options;
    openTunnel(this.#proxy, {
      to: `${isIP(host ?? '') === 6 ? `[${host}]` : host}:${port}`,
      timeoutMs: this.#timeoutMs,
    }).then(
      (socket) => callback(null, tls.connect({ ...options, socket })),
      (error: unknown) => callback(asError(error)),
    );
  }
}
