/** An answer of a person over HTTP: they read the request, and answer what they read. */
import type { Calls, Reply } from '../calls.js';

/** @param said What is not in it: they approve. */
export async function answerOverHttp(
  broker: Pick<Calls, 'get' | 'post'>,
  id: string,
  bearer: string,
  said: object = {},
): Promise<Reply> {
  const { body } = await broker.get(`/approvals/${id}`, bearer);
  const digest = (body as { answer?: { digest: string } }).answer?.digest ?? 'unread';
  return broker.post(`/approvals/${id}/decision`, { decision: 'approve', digest, ...said }, bearer);
}
