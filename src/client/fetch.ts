/** `fetch` with a credential of a task: the shortest way from a task to a call. */
import { MayflyError } from './errors.js';
import type { Credential } from './credential.js';
import type { Task } from './task.js';
import type { Access } from './token-request.js';

interface Destination {
  /** The target, as the broker's configuration names it. */
  target: string;
  access?: Access;
  /** Where the API is, if not at the origin of its target. The credential is sent nowhere else. */
  origin?: string;
}

/**
 * Returns a `fetch` that adds a fresh credential to each request, and that is aborted when the task ends. After a 401 it asks for
 * another credential and sends the request once more, where its body can be sent twice. A redirect to another origin is followed
 * without the credential (Fetch Standard, HTTP-redirect fetch).
 */
export function fetchFor(task: Task, { target, access, origin = new URL(target).origin }: Destination): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    if (new URL(request.url).origin !== origin) {
      throw new MayflyError(`The credential is for ${origin}, and is not sent elsewhere.`);
    }
    const send = async (one: Request, { token }: Credential) => {
      const headers = new Headers(one.headers);
      headers.set('Authorization', `Bearer ${token}`);
      return fetch(new Request(one, { headers, signal: AbortSignal.any([request.signal, task.signal]) }));
    };
    const credential = await task.credential(target, access);
    if (!isRepeatable(input, init)) return send(request, credential);
    // A request can be sent once: its body is read then.
    const answer = await send(request.clone(), credential);
    if (answer.status !== 401) return answer;
    task.discard(target, access, credential);
    await answer.body?.cancel();
    return send(request, await task.credential(target, access));
  };
}

/** A stream can be read only once. */
const isRepeatable = (input: unknown, init: RequestInit | undefined): boolean =>
  !(input instanceof Request && input.body) && !(init?.body instanceof ReadableStream);
