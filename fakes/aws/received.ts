/** A request as operations get it: the body is complete, and each header is one text. */
import type { IncomingMessage } from 'node:http';
import { AwsError } from './aws-error.js';

export interface Received {
  method: string;
  path: string;
  query: string;
  /** Header names are in lower case. */
  headers: Record<string, string | undefined>;
  body: Buffer;
}

const BODY_BYTES_MAX = 1_000_000;

export async function receive(request: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new AwsError('RequestEntityTooLarge', 'The request is too large', 413);
    chunks.push(chunk);
  }
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const headers = Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(',')] as const);
  return {
    method: request.method ?? '',
    path,
    query,
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks),
  };
}
