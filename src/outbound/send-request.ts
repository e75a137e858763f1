/**
 * The one HTTPS client of the broker. A request follows no redirect, and is bounded in time and bytes. Each request has a connection
 * of its own, which is closed with it: a changed CA file counts from the next request on, and no request fails because a server has
 * just closed an idle connection. For a server that is asked all the time: kept-connections.ts.
 */
import type { PeerCertificate } from 'node:tls';
import { Agent, errors, request, type Dispatcher } from 'undici';
import { defined } from '../domain/defined.js';
import { errorCode } from '../domain/error-code.js';
import { isSafeOrigin } from '../domain/safe-origin.js';
import { noProxy, tunnelConnector, type ProxyFor } from './proxy.js';

export interface OutboundRequest {
  url: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: Buffer;
  /** PEM certificates to trust instead of those of the system. */
  ca?: string;
  /**
   * Judges the certificate of a server (DER) whose chain is verified, in place of its host name. Returns why it is not the one
   * that is meant, as an error with a code.
   */
  checkServer?: (certificate: Uint8Array) => Error | undefined;
  /** Bounds the whole: name lookup, connection, request, and the answer with its body. */
  totalMs: number;
  /** A longer body is an error. 0: the body is not read at all. A compressed body stays compressed, so it cannot grow later. */
  bodyBytesMax: number;
  /** The body of a refusal (400 to 499) is read too. Default: it is not. */
  readsRefusals?: true;
  /** Default: none. */
  proxyFor?: ProxyFor;
}

export interface OutboundAnswer {
  status: number;
  /** As the server sent it; absent where it sent none. */
  contentType?: string;
  /** Of an answer with a status of 200 to 299, or of a refusal where it is wanted; empty for every other, whose body is not read. */
  body: string;
}

/** Why there is no answer. Its message contains neither the address, which may hold a secret, nor any text of the server. */
export class OutboundError extends Error {
  override name = 'OutboundError';
  readonly reason: 'insecure' | 'timeout' | 'too-large' | 'failed';
  /** The code of the cause, such as `ECONNREFUSED`; absent when it has none. */
  readonly code: string | undefined;

  constructor(reason: OutboundError['reason'], message: string, code?: string) {
    super(message);
    this.reason = reason;
    this.code = code;
  }
}

/**
 * Returns the answer, whatever its status is: a redirect is an answer too. Throws an OutboundError when there is no complete
 * answer.
 */
export async function sendRequest(outbound: OutboundRequest): Promise<OutboundAnswer> {
  assertSafe(outbound);
  const agent = agentFor(outbound);
  const signal = AbortSignal.timeout(outbound.totalMs);
  try {
    return await exchange(agent, outbound, { signal, reset: true });
  } finally {
    await agent.destroy();
  }
}

export function assertSafe({ url, ca }: Pick<OutboundRequest, 'url' | 'ca'>): void {
  // On a network, somebody who reads or changes clear text could learn a bearer token, or replace the keys in the answer.
  if (!URL.canParse(url) || !isSafeOrigin(new URL(url).origin)) {
    throw new OutboundError('insecure', 'Only https is allowed, and http on this machine.');
  }
  // Node takes an empty text for none, and would trust every certificate authority of the system.
  if (ca?.trim() === '') throw new OutboundError('insecure', 'The CA file is empty.');
}

interface How {
  signal: AbortSignal;
  /** The connection is closed with the request. */
  reset: boolean;
}

/** Sends the request over a connection of the dispatcher. */
export async function exchange(
  dispatcher: Dispatcher,
  { url, method, headers, body, bodyBytesMax, readsRefusals }: OutboundRequest,
  { signal, reset }: How,
): Promise<OutboundAnswer> {
  try {
    const sent = defined({ method, headers, body, reset, dispatcher, signal });
    const { statusCode: status, headers: received, body: stream } = await request(url, sent);
    // Closing the connection ends an unread body with an error that nobody waits for.
    stream.on('error', () => undefined);
    const contentType = received['content-type'];
    const answer = defined({ status, contentType: typeof contentType === 'string' ? contentType : undefined });
    const isWanted = (status >= 200 && status < 300) || (readsRefusals === true && status >= 400 && status < 500);
    if (bodyBytesMax > 0 && isWanted) return { ...answer, body: await stream.text() };
    // The rest may be endless: the connection goes with it.
    stream.destroy();
    return { ...answer, body: '' };
  } catch (error) {
    throw signal.aborted
      ? new OutboundError('timeout', 'The server did not answer in time.')
      : withoutServerText(error);
  }
}

/** @param connections How many there are at once. */
export function agentFor(
  { url, ca, checkServer, totalMs, bodyBytesMax, proxyFor = noProxy }: OutboundRequest,
  connections = 1,
): Agent {
  const proxy = proxyFor(new URL(url));
  // It is set explicitly, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not switch it off.
  const checkServerIdentity = checkServer && ((_host: string, { raw }: PeerCertificate) => checkServer(raw));
  const tls = defined({ rejectUnauthorized: true as const, ca, checkServerIdentity, timeout: totalMs });
  return new Agent({
    connections,
    connect: proxy ? tunnelConnector(proxy, tls) : tls,
    headersTimeout: totalMs,
    bodyTimeout: totalMs,
    maxHeaderSize: 16 * 1024,
    maxResponseSize: bodyBytesMax === 0 ? -1 : bodyBytesMax,
  });
}

/**
 * Returns the error without any text of the server. undici's errors can quote the answer and the certificate of the server.
 * Only their code is kept.
 */
function withoutServerText(error: unknown): OutboundError {
  if (error instanceof errors.ResponseExceededMaxSizeError) {
    return new OutboundError('too-large', 'The answer is larger than is allowed.');
  }
  const code = errorCode(error);
  return new OutboundError('failed', `The connection failed${code === undefined ? '' : `: ${code}`}.`, code);
}
