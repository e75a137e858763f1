/** What a command is told when it does not get what it wanted, by a server on loopback. */
import type { ServerResponse } from 'node:http';
import { IdentityUnavailable, MayflyError, Refused, TaskEnded, Unavailable } from '../../client/index.js';

export interface Refusal {
  status: number;
  code: string;
  message: string;
  retryAfterSeconds?: number;
}

/** Answers in place of an API: `Proxy-Status` (RFC 9209) tells the command so. SDKs of AWS show `code` and `message`. */
export function refuse(response: ServerResponse, { status, code, message, retryAfterSeconds }: Refusal): void {
  response
    .writeHead(status, {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      'Proxy-Status': `mayfly; error=${status === 502 ? 'destination_unavailable' : 'proxy_internal_response'}`,
      ...(retryAfterSeconds !== undefined && { 'Retry-After': String(retryAfterSeconds) }),
    })
    .end(JSON.stringify({ code, message }));
}

/** Returns the refusal for what the client of the broker throws; undefined for anything else. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof MayflyError)) return undefined;
  const { message } = error;
  if (error instanceof TaskEnded) return { status: 403, code: 'task_ended', message };
  if (error instanceof Refused) {
    const { code, retry, retryAfterSeconds = 1 } = error;
    return retry === 'later' ? { status: 503, code, message, retryAfterSeconds } : { status: 403, code, message };
  }
  return error instanceof Unavailable || error instanceof IdentityUnavailable
    ? { status: 503, code: 'temporarily_unavailable', message, retryAfterSeconds: 1 }
    : { status: 403, code: 'access_denied', message };
}
