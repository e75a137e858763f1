/** One question to the broker whether people have answered. It answers when they have, or before a client gives up on a request. */
import { ask, asBearer, textOf } from './request.js';
/** Programs around agents often give up after a minute. */
const WAIT_SECONDS_MOST = 55;
const WAIT_SPARE_SECONDS = 2;
/** Returns the state of the approval: `pending` where nobody has answered meanwhile. Throws what every question to the broker throws. */
export async function waitForAnswer(connection, approvalId, signal) {
  const path = `/approvals/${approvalId}?wait=${waitSeconds(connection)}`;
  const { state } = await ask(connection, { path, prove: asBearer(), signal });
  return textOf(state) ?? 'unknown';
}
const waitSeconds = ({ timeoutMs }) =>
  Math.max(1, Math.min(WAIT_SECONDS_MOST, Math.floor(timeoutMs / 1000) - WAIT_SPARE_SECONDS));
