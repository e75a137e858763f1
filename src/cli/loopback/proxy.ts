/** The proxy of one task in front of one API: `mayfly proxy`, and `mayfly exec --proxy`. */
import type { Task, Wish } from '../../client/index.js';
import { forwarder } from './forward.js';
import { LiveAccess } from './live-access.js';
import { startLoopback, type Loopback } from './server.js';

interface ProxyOptions {
  /** Of the API, as apiUrl() returns it. */
  url: string;
  target: string;
  wish: Wish;
  /** Paths below the url, each with all that is below it; default: all. */
  allow?: readonly string[] | undefined;
}

/** Throws what the broker says if it gives no credential: nothing has been started then. */
export async function startProxy(task: Task, { url, target, wish, allow = ['/'] }: ProxyOptions): Promise<Loopback> {
  const live = new LiveAccess(task, target, wish);
  await live.credential();
  let self = '';
  const { handle, close } = forwarder({ url, allow }, live, () => self);
  const loopback = await startLoopback(handle);
  self = loopback.url;
  return {
    url: self,
    async close() {
      await loopback.close();
      await close();
      live.close();
    },
  };
}
