/**
 * The exact bytes of an event, and the broker's word for them: a JWS with detached payload (RFC 7515, appendix F). No secret is
 * shared with anybody: whoever can read /jwks can verify it, and nobody else than the broker can make one.
 */
import type { Keys } from '../keys/keys.js';

/** Of no token: nothing that is signed for a webhook can be presented as anything else. */
const WEBHOOK_TYP = 'mayfly-webhook+jws';

export async function signedBody(
  keys: Pick<Keys, 'sign'>,
  event: object,
): Promise<{ body: Buffer; signature: string }> {
  const jws = await keys.sign({ ...event }, { typ: WEBHOOK_TYP });
  const [header = '', payload = '', signature = ''] = jws.split('.');
  return { body: Buffer.from(payload, 'base64url'), signature: `${header}..${signature}` };
}
