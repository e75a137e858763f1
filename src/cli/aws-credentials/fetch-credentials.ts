/** One request to the broker for AWS credentials. Neither the identity token nor a key ever stands in an error. */
import { z } from 'zod';
import {
  containerCredentialsSchema,
  processFromContainer,
  type ProcessCredentials,
} from '../../protocol/aws-credentials.js';

const TIMEOUT_MS = 10_000;

const failureSchema = z.object({
  name: z.string(),
  cause: z.object({ code: z.string() }).optional().catch(undefined),
});
const refusalSchema = z.object({ code: z.string(), message: z.string() });

export async function fetchCredentials(url: URL, token: string, timeoutMs = TIMEOUT_MS): Promise<ProcessCredentials> {
  const { status, body } = await ask(url, token, timeoutMs);
  if (status !== 200) throw new Error(refusalText(status, body, token));
  const answer = containerCredentialsSchema.safeParse(body);
  if (!answer.success) throw new Error(`${url.origin} answered with something else than AWS credentials.`);
  return processFromContainer(answer.data);
}

async function ask(url: URL, token: string, timeoutMs: number): Promise<{ status: number; body: unknown }> {
  try {
    const response = await fetch(url, {
      headers: { Accept: 'application/json', Authorization: token },
      // Whoever answers with a redirect would choose who gets the identity.
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

/** Whatever answers may be no broker, and its words go to a terminal: one line, no control characters, and no echo of the token. */
function refusalText(status: number, body: unknown, token: string): string {
  const refusal = refusalSchema.safeParse(body);
  if (!refusal.success) return `The broker answered ${status}.`;
  const { code, message } = refusal.data;
  return `${code}: ${message}`.replaceAll(token, '…').replaceAll(/\p{Cc}+/gu, ' ');
}

/** `ECONNREFUSED` and its like; of `fetch` itself there is no more than that it failed. */
function reasonOf(error: unknown): string {
  const { data: failure } = failureSchema.safeParse(error);
  if (failure?.name === 'TimeoutError') return 'it took too long';
  return failure?.cause?.code ?? 'the connection failed';
}
