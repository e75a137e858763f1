/**
 * Has a task learn of its end in the moment of it, and not from its next heartbeat: the program waits at the broker for the end of the
 * credential, and asks for another one when it is dead. Where the task has ended there is none, and `task.signal` is aborted.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { elapsed } from '../client/elapsed.js';
import type { Task, Wish } from '../client/index.js';
import { instance } from './loopback/live-access.js';

const WAIT_SECONDS = 20;
/** After a question that was answered at once, or with an error, such as that of a hold. The heartbeat goes on meanwhile. */
const PAUSE_MS = 5_000;

/** @returns how to stop. */
export function hearEnd(task: Task, target: string, wish: Wish): () => void {
  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, task.signal]);
  void (async () => {
    while (!signal.aborted) {
      const from = elapsed();
      const wasDead = await waitOnce(task, target, { wish, signal }).catch(() => false);
      if (!wasDead && elapsed() - from < PAUSE_MS)
        await pause(PAUSE_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  })();
  return () => closing.abort();
}

/** Returns whether the credential has died, and the task has another one. */
async function waitOnce(task: Task, target: string, { wish, signal }: { wish: Wish; signal: AbortSignal }) {
  const credential = await task.credential(target, wish);
  const { isAlive } = await task.untilDead(credential, { seconds: WAIT_SECONDS, instance, signal });
  if (!isAlive) await task.credential(target, wish);
  return !isAlive;
}
