/**
 * Posts one event, and decides when one that failed is tried again. Of the answer only the status is used; its body is
 * never read.
 */
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { defined } from '../domain/defined.js';
import { errorCode } from '../domain/error-code.js';
import type { ProxyFor } from '../outbound/proxy.js';
import { OutboundError, sendRequest } from '../outbound/send-request.js';

interface Posting {
  url: string;
  /** A file of PEM certificates to trust instead of those of the system. It is read each time. */
  ca?: string;
  body: Buffer;
  headers: Record<string, string>;
  /** The time limit for everything: name, connection, request, and the head of the answer. */
  patienceMs: number;
  proxyFor: ProxyFor;
}

export interface Failure {
  /** The reason as a fixed sentence. It never contains the address, which may hold a secret, or any part of the answer. */
  because: string;
  /** Whether the receiver rejected the request itself. It will most likely reject the same request again. */
  isRefusal: boolean;
}

/** Returns undefined when the receiver accepted the event. */
export async function post({ ca: caFile, patienceMs: totalMs, ...posting }: Posting): Promise<Failure | undefined> {
  try {
    const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
    const posted = defined({ ...posting, method: 'POST' as const, ca, totalMs, bodyBytesMax: 0 });
    return failureOf((await sendRequest(posted)).status);
  } catch (error) {
    return { because: reasonOf(error), isRefusal: false };
  }
}

function failureOf(status: number): Failure | undefined {
  if (status >= 200 && status < 300) return undefined;
  // 408 and 429 ask for another try.
  const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return { because: `It answered ${status}.`, isRefusal };
}

/** Returns a fixed sentence, with an error code such as `ECONNREFUSED` at most: never text of somebody else. */
function reasonOf(error: unknown): string {
  if (error instanceof OutboundError && error.reason === 'timeout') return 'It did not answer in time.';
  const code = errorCode(error);
  return `It could not be reached${code === undefined ? '' : `: ${code}`}.`;
}

const FIRST_MS = 1_000;
const LONGEST_MS = 300_000;
/** A receiver may refuse during a deployment. After this many refusals, the event is given up. */
const REFUSALS_MAX = 3;

/**
 * Returns the pause after a failed try. It doubles with each try, and is random, so that receivers that fail together are
 * not tried together.
 */
export function pauseMs(tries: number): number {
  const most = Math.min(FIRST_MS * 2 ** (tries - 1), LONGEST_MS);
  return randomInt(most / 2, most + 1);
}

/**
 * Returns whether an event is given up.
 * @param ageMs is the age of the entry: waiting behind other entries gives it no extra time.
 */
export const isHopeless = ({ isRefusal }: Failure, tries: number, ageMs: number, giveUpSeconds: number): boolean =>
  (isRefusal && tries >= REFUSALS_MAX) || ageMs >= giveUpSeconds * 1000;

/**
 * Returns whether to wait before the next try. A time further ahead than any pause came from a clock that was set back
 * since.
 */
export const isTooSoon = (retryAt: number, now: number): boolean => retryAt > now && retryAt - now <= LONGEST_MS;
