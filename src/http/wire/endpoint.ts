/** What an endpoint is: a function from a call to an answer. No endpoint sees HTTP. */
import type { IncomingHttpHeaders } from 'node:http';
import type { BrokerError } from '../../domain/errors.js';
import type { Noted } from '../../telemetry/request-log.js';

export interface Call {
  requestId: string;
  /** The network address of the caller, as far as known: see `trustProxy`. */
  address?: string;
  /** As they were sent: nothing is decoded. For endpoints that are asked about another request by a copy of its head. */
  method: string;
  path: string;
  /** The parameters of the path. */
  params: Readonly<Record<string, string>>;
  /** As it was sent, without the question mark. It is parsed where it is read: `readQuery`. */
  query: string;
  headers: IncomingHttpHeaders;
  /** Empty when the request has no body. */
  body: Buffer;
  /** What the log line of this request says of it, as far as it is known. */
  noted: Noted;
}

export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  /** Values of `Set-Cookie`, each in a line of its own. */
  cookies?: readonly string[];
  /** What the answer refuses, where it tells that in a form of its own: it is counted and logged like every refusal. */
  refusal?: BrokerError;
  /** An object is sent as JSON; text and lines are sent as they are. */
  body?: object | string | AsyncIterable<string>;
  /**
   * The body has no end of its own: either side ends it whenever it likes, and that is no trouble. Once aborted, the
   * connection is closed.
   */
  endless?: { cut: AbortSignal };
}

export type Handle = (call: Call) => Promise<Answer>;

export interface Endpoint {
  method: 'GET' | 'POST' | 'DELETE';
  /** Whoever asks about another request may ask by the method of that. Default: no. */
  anyMethod?: true;
  /** In the syntax of path-to-regexp: `/tasks/:id`. */
  path: string;
  refusals: RefusalFormat;
  /** The largest body: what its fields can take. 0 where everything is in the path and the query string. */
  bodyBytes: number;
  handle: Handle;
}

/**
 * How an endpoint refuses: by RFC 6749, by RFC 9457, as the container credential providers of AWS SDKs read it, by RFC 8935, by AuthZEN
 * 1.0, or by the status alone.
 */
export type RefusalFormat = 'oauth' | 'problem' | 'container' | 'set' | 'authzen';

export const ok = (body: object): Answer => ({ status: 200, body });
