/**
 * Sends the requests of commands to a broker. No error contains the identity token, or characters that could drive a terminal.
 */
import { z } from 'zod';
import { oneLine } from '../domain/text.js';

const TIMEOUT_MS = 10_000;

/** Returns the JSON body of a 200; undefined when it is not JSON. Throws the refusal of the broker for any other status. */
export async function askBroker(
  url: URL,
  { token, scheme = '', timeoutMs = TIMEOUT_MS }: { token: string; scheme?: 'Bearer ' | ''; timeoutMs?: number },
): Promise<unknown> {
  const { status, body } = await answerOf(url, `${scheme}${token}`, timeoutMs);
  if (status !== 200) throw new Error(refusalText(status, body, token));
  return body;
}

async function answerOf(
  url: URL,
  authorization: string,
  timeoutMs: number,
): Promise<{ status: number; body: unknown }> {
  try {
    const response = await fetch(url, {
      headers: { Accept: 'application/json', Authorization: authorization },
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

/** A refusal. Its text is `message` at /aws/credentials, as AWS SDKs expect, and `detail` everywhere else (RFC 9457). */
const refusalSchema = z.union([
  z.object({ code: z.string().regex(/^\w{1,64}$/), detail: z.string() }),
  z
    .object({ code: z.string().regex(/^\w{1,64}$/), message: z.string() })
    .transform(({ code, message }) => ({ code, detail: message })),
]);

/**
 * Returns the text of a refusal. The answer may come from something that is no broker, and its text goes to a terminal. So
 * the text is one line, and the token in it is masked.
 */
function refusalText(status: number, body: unknown, token: string): string {
  const refusal = refusalSchema.safeParse(body);
  if (!refusal.success) return `The broker answered ${status}.`;
  return oneLine(`${refusal.data.code}: ${refusal.data.detail}`.replaceAll(token, '…'));
}
