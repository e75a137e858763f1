/** What an endpoint is: a function from a call to an answer. Nothing below sees Express. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from '../telemetry/log.js';

export interface Call {
  requestId: string;
  /** From the path. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Empty when none was sent. */
  body: Buffer;
  log: Logger;
}

export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, or as it is when it is text or lines. */
  body?: object | string | AsyncIterable<string>;
}

export type Handle = (call: Call) => Promise<Answer>;

export interface Endpoint {
  method: 'GET' | 'POST' | 'DELETE';
  /** As Express writes it: `/tasks/:id`. */
  path: string;
  /** How it refuses: RFC 6749, RFC 9457, as AWS SDKs read it, or RFC 8935. */
  refusals: RefusalFormat;
  handle: Handle;
}

export type RefusalFormat = 'oauth' | 'problem' | 'aws' | 'set';

export const ok = (body: object): Answer => ({ status: 200, body });
