/** The code of an error of Node or a library. */
import { types } from 'node:util';

/**
 * Returns a code such as `ECONNREFUSED`, `ERR_JWT_EXPIRED` or `invalid_request`; undefined unless it is one word, because a
 * sentence could hold a secret.
 */
export function errorCode(error: unknown): string | undefined {
  const code: unknown = types.isNativeError(error) && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : undefined;
}
