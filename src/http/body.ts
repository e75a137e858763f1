/** Reads a request body whole, bounded, and never decompressed: a few bytes must not become gigabytes. */
import express, { type Request, type RequestHandler, type Response } from 'express';
import { BrokerError } from '../domain/errors.js';
import { HARD_LIMITS } from '../domain/limits.js';

const readRaw: RequestHandler = express.raw({ type: () => true, inflate: false, limit: HARD_LIMITS.bodyBytes });

export async function readBody(request: Request, response: Response): Promise<Buffer> {
  await new Promise<void>((resolve, reject) => {
    void readRaw(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(refusalFor(error));
    });
  });
  const body: unknown = request.body;
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

/** Text, or a refusal: what is not UTF-8 is not what its sender meant. */
export function textOf(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new BrokerError('invalid_request', 'The body is not UTF-8.', { cause });
  }
}

/** The media type without its parameters. */
export function demandContentType(sent: string | undefined, wanted: string): void {
  if (sent?.split(';', 1)[0]?.trim().toLowerCase() === wanted) return;
  throw new BrokerError('unsupported_media_type', `The body must be sent as ${wanted}.`);
}

function refusalFor(cause: unknown): BrokerError {
  const status = typeof cause === 'object' && cause !== null && 'status' in cause ? cause.status : undefined;
  if (status === 413) {
    return new BrokerError('payload_too_large', `A request body has at most ${HARD_LIMITS.bodyBytes} bytes.`, {
      cause,
    });
  }
  if (status === 415) {
    return new BrokerError('unsupported_media_type', 'The body must be sent without a content encoding.', { cause });
  }
  return new BrokerError('invalid_request', 'The body could not be read.', { cause });
}
