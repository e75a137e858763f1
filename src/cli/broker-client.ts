/**
 * Sends the requests of commands to a broker. No error contains the identity token, or characters that could drive a terminal.
 */
import { z } from 'zod';
import { oneLine } from '../domain/text.js';
import { withoutTokens } from '../domain/token-in-text.js';

const TIMEOUT_MS = 10_000;

export interface Question {
  /** The identity token. */
  token: string;
  scheme?: 'Bearer ' | '';
  timeoutMs?: number;
  /** Default: GET; POST where there is a body. */
  method?: 'DELETE';
  /** Sent as JSON. What leaked goes here and never into a URL, which proxies log. */
  body?: object;
}

/** The broker was asked and did not answer with 200. The text is its sentence. */
export class NotAnswered extends Error {
  readonly status: number;
  /** A code of docs/errors.md; undefined where something else than a broker answered. */
  readonly code: string | undefined;
  constructor(text: string, { status, code }: { status: number; code: string | undefined }) {
    super(text);
    this.status = status;
    this.code = code;
  }
}

/** Returns the JSON body of a 200; undefined when it is not JSON. Throws NotAnswered for any other status. */
export async function askBroker(url: URL, question: Question): Promise<unknown> {
  const { status, body } = await answerOf(url, question);
  if (status === 200) return body;
  const { success, data } = refusalSchema.safeParse(body);
  // The text of what is no broker is not shown: it could be anything.
  if (!success) throw new NotAnswered(`The broker answered ${status}.`, { status, code: undefined });
  const { code, detail, decision } = data;
  const asked = decision === undefined ? '' : ` (policy decision ${decision})`;
  const text = withoutTokens(`${code}: ${detail}${asked}`.replaceAll(question.token, '…'));
  throw new NotAnswered(oneLine(text), { status, code });
}

async function answerOf(url: URL, question: Question): Promise<{ status: number; body: unknown }> {
  const { token, scheme = '', timeoutMs = TIMEOUT_MS, body } = question;
  const headers = { Accept: 'application/json', Authorization: `${scheme}${token}` };
  const sent = body && {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { ...headers, 'Content-Type': 'application/json' },
  };
  try {
    const response = await fetch(url, {
      method: question.method ?? 'GET',
      headers,
      ...sent,
      // A server that redirects would choose who gets the identity token.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, body: parsed(await response.text()) };
  } catch (error) {
    throw new Error(`${url.origin} did not answer: ${reasonOf(error)}.`, { cause: error });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const failureSchema = z.object({
  name: z.string(),
  cause: z.object({ code: z.string() }).optional().catch(undefined),
});

/** Returns a code such as `ECONNREFUSED`, which an error of `fetch` carries in its cause. */
function reasonOf(error: unknown): string {
  const { data: failure } = failureSchema.safeParse(error);
  if (failure?.name === 'TimeoutError') return 'it took too long';
  return failure?.cause?.code ?? 'the connection failed';
}

const code = z.string().regex(/^\w{1,64}$/);
const decision = z.string().regex(/^dec_\w{1,64}$/);

/**
 * A refusal. Its text is `message` at /aws/credentials, as AWS SDKs expect, and `detail` everywhere else (RFC 9457). The answer may
 * come from something that is no broker, and its text goes to a terminal: so it is made one line, without tokens.
 */
const refusalSchema = z
  .object({ code, detail: z.string(), decision_id: decision.optional().catch(undefined) })
  .or(
    z
      .object({ code, message: z.string(), decision_id: decision.optional().catch(undefined) })
      .transform(({ message, ...rest }) => ({ ...rest, detail: message })),
  )
  .transform(({ decision_id, ...rest }) => ({ ...rest, decision: decision_id }));
