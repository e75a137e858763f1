/** Causes that no server on loopback brings about. */
import { expect, it } from '@jest/globals';
import { trouble } from '../../../src/store/redis/trouble.js';

const attempt = { where: 'Redis at r:6379', tls: true, username: undefined, hasPassword: true, hasAuthority: false };

it.each([
  [{ code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND r' }, 'the name has no address'],
  [{ code: 'CERT_HAS_EXPIRED', message: 'certificate has expired' }, 'its certificate has expired'],
  [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: 'x' }, 'its certificate is for another name'],
  [{ message: 'alert number 116: certificate required' }, 'set tls-auth-clients no'],
  [{ message: 'Failed', lastNodeError: { message: 'WRONGPASS x' } }, 'the user and the password are not accepted'],
])('%j: %s', (error, cause) => {
  expect(trouble(attempt, [error])).toContain(`Redis at r:6379 (by TLS, with a password): `);
  expect(trouble(attempt, [error])).toContain(cause);
});

it('the earliest cause that is known counts, and no text of an error is shown', () => {
  const said = trouble(attempt, [{ message: 'unheard of' }, { message: 'WRONGPASS' }, { message: 'NOAUTH' }]);
  expect(said).toBe('Redis at r:6379 (by TLS, with a password): the user and the password are not accepted');
  expect(trouble(attempt, [{ message: 'unheard of' }])).not.toContain('unheard');
});
