/** Questions to the broker whether people have answered. It answers when they have, or before a client gives up on a request. */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { elapsed } from './elapsed.js';
import { ask, asBearer, textOf } from './request.js';
/** Programs around agents often give up after a minute. */
const WAIT_SECONDS_MOST = 55;
const WAIT_SPARE_SECONDS = 2;
const PAUSE_MS = { first: 1_000, most: 15_000 };
/**
 * Returns what asks once: for the state of the approval, `pending` where nobody has answered meanwhile. A broker where too many wait,
 * or that ends, says that at once: then it pauses, for longer each time, since all who wait there are told so at once. It throws what
 * every question to the broker throws.
 */
export function answerWait(connection, approvalId, signal) {
  const seconds = waitSeconds(connection);
  const path = `/approvals/${approvalId}?wait=${seconds}`;
  let pauseMs = PAUSE_MS.first;
  return async () => {
    const since = elapsed();
    const state = textOf((await ask(connection, { path, prove: asBearer(), signal }))['state']) ?? 'unknown';
    if (state !== 'pending') return state;
    if (elapsed() - since > seconds * 500) {
      pauseMs = PAUSE_MS.first;
    } else {
      await pause(randomInt(pauseMs / 2, pauseMs), undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS.most);
    }
    return state;
  };
}
const waitSeconds = ({ timeoutMs }) =>
  Math.max(1, Math.min(WAIT_SECONDS_MOST, Math.floor(timeoutMs / 1000) - WAIT_SPARE_SECONDS));
