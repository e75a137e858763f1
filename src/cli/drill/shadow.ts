/**
 * Shadow credentials: tokens that verifiers of a drill take for credentials, and nobody else. They are signed by a key that lives as
 * long as the drill, for an issuer and an audience that no API has, and the broker never sees one.
 */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { HARD_LIMITS } from '../../domain/limits.js';
import { cause } from '../../domain/selector.js';

/** Issuer and audience of every shadow. */
export const SHADOW = 'urn:mayfly:drill';

const KEY_ID = 'drill';

interface Shadows {
  /**
   * Returns a token that dies with the drill `id` (`drl_…`).
   * @param epoch The place in the log of the broker at which it is born.
   */
  token(id: string, epoch: string): Promise<string>;
  /** Goes to the broker, except for two things: the keys of the shadows, and acknowledgements, which are for real verifiers. */
  fetch: typeof fetch;
}

export async function createShadows(): Promise<Shadows> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'ES256', use: 'sig' }] };
  return {
    token: (id, epoch) =>
      new SignJWT(claimsOf(id, epoch))
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: KEY_ID })
        .setIssuedAt()
        .setExpirationTime(`${HARD_LIMITS.drillSeconds}s`)
        .sign(privateKey),
    async fetch(input, init) {
      const { pathname } = new URL(input instanceof Request ? input.url : input);
      if (pathname === '/jwks') return Response.json(keys);
      if (pathname === '/revocations/feed/ack') return Response.json({ measured: 0 });
      return fetch(input, init);
    },
  };
}

const claimsOf = (id: string, epoch: string) => ({
  iss: SHADOW,
  aud: SHADOW,
  sub: SHADOW,
  client_id: SHADOW,
  jti: id,
  txn: id,
  authorization_details: [],
  task: { id, lineage: [id], purpose: 'drill' },
  origin: { workload: SHADOW, issuer: SHADOW, principal: SHADOW },
  causes: [cause('drill', id)],
  epoch,
});
