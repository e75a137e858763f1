/** The keys of issuers and transmitters, and a watch over them: they are read although nobody asks, and what is wrong is told. */
import type { Transmitter } from '../config/signals-schema.js';
import { eachIssuer, isDocument, type OidcTrust, type Trust } from '../config/trust-schema.js';
import type { Clock } from '../domain/time.js';
import { bundleSource } from './bundle-source.js';
import { discoveredKeySource, documentKeySource, keySource, type KeySource, type Surroundings } from './key-source.js';
import { createTrustKeys, type TrustKeys } from './trust-keys.js';

export interface WatchedKeys {
  keys: TrustKeys;
  /** Reads the keys where that is due, and returns what an operator should know; undefined where all is well. */
  look: () => Promise<unknown>;
}

export interface NamedKeys extends WatchedKeys {
  /** Whose they are: `issuer lab`, with the place of a further issuer in the entry `issuer lab also[0]`, or `transmitter idp`. */
  name: string;
}

export interface TrustedKeys extends NamedKeys {
  /** The entry as it is for this one issuer. */
  trust: Trust;
}

type Around = Surroundings & { clock: Clock };

/** Returns the keys of each issuer of each entry. Nothing is read before it is asked for. */
export const openIssuers = (trust: readonly Trust[], around: Around): TrustedKeys[] =>
  trust.flatMap((entry) =>
    eachIssuer([entry]).map((one, which) => ({
      trust: one,
      name: `issuer ${one.name}${which === 0 ? '' : ` also[${which - 1}]`}`,
      ...openIssuer(one, around),
    })),
  );

export function openIssuer(trust: Trust, { clock, ...surroundings }: Around): WatchedKeys {
  switch (trust.kind) {
    case 'oidc': {
      return watched(createTrustKeys(oidcKeys(trust, surroundings), 'jwks', clock));
    }
    case 'spiffe': {
      const source = bundleSource(trust, surroundings);
      return watched(createTrustKeys(source, 'spiffe-bundle', clock), () => source.trouble(clock));
    }
    default:
      throw new Error('unknown kind of trust');
  }
}

function oidcKeys({ issuer, jwks }: OidcTrust, surroundings: Surroundings): KeySource {
  if (!jwks) return discoveredKeySource(issuer, surroundings);
  return isDocument(jwks) ? documentKeySource(issuer, jwks, surroundings) : keySource(jwks, surroundings);
}

/** Returns the keys of a transmitter of security events. Nothing is read before it is asked for. */
export const openTransmitter = (
  { name, jwks }: Pick<Transmitter, 'name' | 'jwks'>,
  { clock, ...surroundings }: Around,
): NamedKeys => ({
  name: `transmitter ${name}`,
  ...watched(createTrustKeys(keySource(jwks, surroundings), 'jwks', clock)),
});

/**
 * An issuer that is down, or names itself otherwise than the configuration, is told of while the last keys still serve. And a
 * trust domain replaces its authorities: a broker that slept through all of that could no longer verify the endpoint of its bundle.
 */
const watched = (keys: TrustKeys, troubleOf?: () => Promise<unknown>): WatchedKeys => ({
  keys,
  async look() {
    await keys.current().catch(() => undefined);
    return keys.failure() ?? troubleOf?.().catch((error: unknown) => error);
  },
});
