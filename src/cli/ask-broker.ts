/** One request to a broker, with an identity. It never stands in an error. */
import { z } from 'zod';

const TIMEOUT_MS = 10_000;

const failureSchema = z.object({
  name: z.string(),
  cause: z.object({ code: z.string() }).optional().catch(undefined),
});

export async function askBroker(
  url: URL,
  { authorization, timeoutMs = TIMEOUT_MS }: { authorization: string; timeoutMs?: number },
): Promise<{ status: number; body: unknown }> {
  try {
    const response = await fetch(url, {
      headers: { Accept: 'application/json', Authorization: authorization },
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

/** `ECONNREFUSED` and its like; of `fetch` itself there is no more than that it failed. */
function reasonOf(error: unknown): string {
  const { data: failure } = failureSchema.safeParse(error);
  if (failure?.name === 'TimeoutError') return 'it took too long';
  return failure?.cause?.code ?? 'the connection failed';
}
