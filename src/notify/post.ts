/** Posts one event. No redirects, no proxy, no pool; of the answer only the status is looked at, and its body is never read. */
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { types } from 'node:util';

interface Posting {
  url: string;
  /** A file of PEM certificates to trust instead of those of the system; read anew each time. */
  ca?: string;
  body: Buffer;
  headers: Readonly<Record<string, string>>;
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
export async function post({ url, ca, body, headers, patienceMs }: Posting): Promise<Failure | undefined> {
  const signal = AbortSignal.timeout(patienceMs);
  try {
    const authority = ca === undefined ? {} : { ca: await readFile(ca, 'utf8') };
    const length = { 'content-length': String(body.length) };
    const options = { method: 'POST', headers: { ...headers, ...length }, agent: false, signal, ...authority };
    return judged(await statusOf(new URL(url), options, body));
  } catch (error) {
    return { because: signal.aborted ? 'It did not answer in time.' : reasonOf(error), isRefusal: false };
  }
}

function statusOf(url: URL, options: https.RequestOptions, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? https.request(url, options) : http.request(url, options);
    request.once('response', (response) => {
      response.destroy();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject).end(body);
  });
}

function judged(status: number): Failure | undefined {
  if (status >= 200 && status < 300) return undefined;
  // 408 and 429 ask for another try.
  const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return { because: `It answered ${status}.`, isRefusal };
}

/** `ECONNREFUSED` and its like: a word, never a sentence of somebody else. */
function reasonOf(error: unknown): string {
  const code: unknown = types.isNativeError(error) && 'code' in error ? error.code : undefined;
  return `It could not be reached${typeof code === 'string' && /^\w{1,64}$/.test(code) ? `: ${code}` : ''}.`;
}
