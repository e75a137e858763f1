/** Fetches a small public document. Node's `fetch` takes no CA, so this is `node:https`: no redirects, no proxy, no pool. */
import { defined } from '../domain/defined.js';
import http from 'node:http';
import https from 'node:https';

const BYTES_MAX = 256 * 1024;

export interface FetchOptions {
  /** Bounds the whole of it: name, connection, headers, body. */
  signal: AbortSignal;
  /** PEM certificates to trust instead of the system store. */
  ca?: string;
  bearer?: string;
}

/** Nothing of the answer but its status may stand in an error. */
export async function fetchText(address: string, options: FetchOptions): Promise<string> {
  const response = await respond(new URL(address), options);
  try {
    if (response.statusCode !== 200) throw new Error(`the key server answered ${response.statusCode ?? 'nothing'}`);
    return await readBody(response);
  } finally {
    response.destroy();
  }
}

function respond(url: URL, { signal, ca, bearer }: FetchOptions): Promise<http.IncomingMessage> {
  const isLoopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  // Whoever can change keys on the wire can be anyone.
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw new Error('keys are fetched over https only');
  }
  const headers = defined({
    accept: 'application/json',
    authorization: bearer === undefined ? undefined : `Bearer ${bearer}`,
  });
  const options = defined({ signal, headers, agent: false, ca });
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? https.request(url, options) : http.request(url, options);
    request.once('response', resolve).on('error', reject).end();
  });
}

async function readBody(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) throw new Error('the key document is larger than 256 KiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
