/** A policy engine in another process (a policy decision point): what it is asked, what it may answer, and how it fails. */
import { readFile } from 'node:fs/promises';
import { defined } from '../../domain/defined.js';
import { parseStrictJson } from '../../domain/strict-json.js';
import type { SendKept } from '../../outbound/kept-connections.js';
import type { ProxyFor } from '../../outbound/proxy.js';
import { OutboundError } from '../../outbound/send-request.js';
import type { Answer } from './answer.js';
import type { Question } from './question.js';
import { Unanswered } from './unanswered.js';

export interface DecisionPoint {
  /** Its address, for operators. */
  place: string;
  /** Asks one question. Rejects with `Unanswered` if there is no answer that can be believed. */
  ask(question: Question, send: SendKept): Promise<Answer>;
}

/** How it is reached. */
export interface Reach {
  /** A file of PEM certificates to trust instead of those of the system. */
  ca?: string | undefined;
  bearerFile?: string | undefined;
  timeoutMs: number;
  proxyFor: ProxyFor;
}

/** An answer has a few hundred bytes. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** An answer with many policies has a hundred. */
const ANSWER_VALUES_MAX = 1_024;

interface Exchange {
  url: string;
  /** Sent as JSON; without it the document is only read. */
  body?: unknown;
}

/** Returns the JSON document of an answer with the status 200; undefined where there is none (404). */
export async function documentAt(
  { ca, bearerFile, timeoutMs: totalMs, proxyFor }: Reach,
  { url, body }: Exchange,
  send: SendKept,
): Promise<unknown> {
  const [authority, bearer] = await Promise.all([textOf(ca), textOf(bearerFile)]);
  const headers = defined({
    accept: 'application/json',
    'content-type': body === undefined ? undefined : 'application/json',
    authorization: bearer && `Bearer ${bearer.trim()}`,
  });
  const answer = await send(
    defined({
      ...{ url, headers, totalMs, proxyFor, bodyBytesMax: ANSWER_BYTES_MAX },
      method: body === undefined ? ('GET' as const) : ('POST' as const),
      ca: authority,
      body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
    }),
  ).catch((error: unknown) => {
    throw unansweredBy(error);
  });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw new Unanswered('status', `The policy engine answered ${answer.status}.`);
  // What is no JSON by its own account may be the page of a proxy, or of whoever else has that address now.
  if (!/^application\/json *(?:;|$)/i.test(answer.contentType ?? ''))
    throw new Unanswered('content-type', 'The policy engine answered with something other than application/json.');
  const parsed = parseStrictJson(answer.body, ANSWER_VALUES_MAX);
  if (typeof parsed === 'string')
    throw new Unanswered('malformed', `The policy engine answered with JSON that is ${parsed}.`);
  return parsed.value;
}

/** Both files are read for each question: Kubernetes renews them while the process runs. */
const textOf = async (file: string | undefined): Promise<string | undefined> =>
  file === undefined ? undefined : readFile(file, 'utf8').catch(() => unreadable());

function unreadable(): never {
  throw new Unanswered('unreachable', 'A file that the connection to the policy engine needs cannot be read.');
}

function unansweredBy(error: unknown): Error {
  if (!(error instanceof OutboundError)) return error instanceof Error ? error : new Error('no error');
  if (error.reason === 'timeout') return new Unanswered('timeout', 'The policy engine did not answer in time.');
  if (error.reason === 'too-large') return new Unanswered('too-large', 'The answer of the policy engine is too large.');
  const code = error.code === undefined ? '' : `: ${error.code}`;
  return new Unanswered('unreachable', `The policy engine cannot be reached${code}.`);
}
