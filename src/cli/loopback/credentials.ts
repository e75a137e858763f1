/** Credentials on loopback, for a command that asks for one when it needs it. */
import { MayflyError, type Task, type Wish } from '../../client/index.js';
import { refusalOf, refuse } from './refusal.js';
import { startLoopback, type Handler, type Loopback } from './server.js';

/** Answers GET with a credential, in the words of OAuth (RFC 6749 §5.1). Throws what the broker says if it gives none. */
export async function startEndpoint(task: Task, target: string, wish: Wish): Promise<Loopback> {
  await task.credential(target, wish);
  return startLoopback(
    endpoint(async () => {
      const { token, scope, expiresInSeconds } = await task.credential(target, wish);
      return { access_token: token, token_type: 'Bearer', expires_in: expiresInSeconds, scope };
    }),
  );
}

/** Answers GET, and nothing else.
 * @param answer Returns what is answered as JSON. It has a secret. */
export function endpoint(answer: () => Promise<object>): Handler {
  return async ({ method }, response, path) => {
    try {
      if (method !== 'GET' || path !== '') throw new MayflyError('There is nothing but GET here.');
      const body = JSON.stringify(await answer());
      response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(body);
    } catch (error) {
      refuse(response, refusalOf(error) ?? { status: 500, code: 'server_error', message: 'failed' });
    }
  };
}
