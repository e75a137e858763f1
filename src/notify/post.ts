/** Posts one event. Of the answer only the status is looked at; its body is never read. */
import { readFile } from 'node:fs/promises';
import { types } from 'node:util';
import { defined } from '../domain/defined.js';
import { OutboundError, sendRequest } from '../outbound/send-request.js';

interface Posting {
  url: string;
  /** A file of PEM certificates to trust instead of those of the system; read anew each time. */
  ca?: string;
  body: Buffer;
  headers: Record<string, string>;
  /** Bounds the whole of it: name, connection, request, the head of the answer. */
  patienceMs: number;
}

export interface Failure {
  /** A sentence of ours without the address, which may hold a secret, and without a word of the answer. */
  because: string;
  /** The receiver has judged the request itself: the same again will most likely meet the same. */
  isRefusal: boolean;
}

/** Undefined: it was taken. */
export async function post({
  url,
  ca: caFile,
  body,
  headers,
  patienceMs: totalMs,
}: Posting): Promise<Failure | undefined> {
  try {
    const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
    const posted = defined({ url, method: 'POST' as const, headers, body, ca, totalMs, bodyBytesMax: 0 });
    return judged((await sendRequest(posted)).status);
  } catch (error) {
    return { because: reasonOf(error), isRefusal: false };
  }
}

function judged(status: number): Failure | undefined {
  if (status >= 200 && status < 300) return undefined;
  // 408 and 429 ask for another try.
  const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return { because: `It answered ${status}.`, isRefusal };
}

/** `ECONNREFUSED` and its like: a word, never a sentence of somebody else. */
function reasonOf(error: unknown): string {
  if (error instanceof OutboundError && error.reason === 'timeout') return 'It did not answer in time.';
  const code: unknown = types.isNativeError(error) && 'code' in error ? error.code : undefined;
  return `It could not be reached${typeof code === 'string' && /^\w{1,64}$/.test(code) ? `: ${code}` : ''}.`;
}
