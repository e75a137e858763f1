/** One request to the broker for AWS credentials. Neither the identity token nor a key ever stands in an error. */
import { z } from 'zod';
import {
  containerCredentialsSchema,
  toProcessCredentials,
  type ProcessCredentials,
} from '../../protocol/aws-credentials.js';
import { askBroker } from '../ask-broker.js';

const TIMEOUT_MS = 10_000;

const refusalSchema = z.object({ code: z.string(), message: z.string() });

export async function fetchCredentials(url: URL, token: string, timeoutMs = TIMEOUT_MS): Promise<ProcessCredentials> {
  const { status, body } = await askBroker(url, { authorization: token, timeoutMs });
  if (status !== 200) throw new Error(refusalText(status, body, token));
  const answer = containerCredentialsSchema.safeParse(body);
  if (!answer.success) throw new Error(`${url.origin} answered with something else than AWS credentials.`);
  return toProcessCredentials(answer.data);
}

/** Whatever answers may be no broker, and its words go to a terminal: one line, no control characters, and no echo of the token. */
function refusalText(status: number, body: unknown, token: string): string {
  const refusal = refusalSchema.safeParse(body);
  if (!refusal.success) return `The broker answered ${status}.`;
  const { code, message } = refusal.data;
  return `${code}: ${message}`.replaceAll(token, '…').replaceAll(/\p{Cc}+/gu, ' ');
}
