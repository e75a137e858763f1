/** The kinds of text and number in a configuration, each with the sentence that refuses a wrong one. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { pathProblem, wildcardProblem } from '../domain/access.js';
import { CLAIM_CHARACTERS_MAX, isName } from '../domain/name.js';
import { RESERVED_WORDS } from '../domain/reserved.js';
import { isSafeOrigin } from '../domain/safe-origin.js';
import { trustDomainOf } from '../domain/spiffe-id.js';
import { nameSchema } from '../domain/schemas.js';
import { accessFromScope } from '../targets/requested-access.js';

export const seconds = (most: number, least = 1) =>
  z
    .int({ error: ({ input }) => (typeof input === 'string' ? secondsInstead(input) : undefined) })
    .min(least)
    .max(most);

export const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be a lower-case letter, then up to 31 of a-z 0-9 -');
/** The name of a trust entry, a transmitter or a reaction: it stands in ids, as a source, or as an actor. */
export const unreservedName = name.refine(
  (text) => !RESERVED_WORDS.has(text),
  'is a word that the broker itself writes in the place of a name: choose another',
);
/** The name of a team, as a token could give it too. */
export const teamName = nameSchema(CLAIM_CHARACTERS_MAX);
/** The algorithms that a proof of identity may be signed with. The metadata of the server lists them. */
export const SIGNATURE_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
  'Ed25519',
] as const;
export const algorithm = z.enum(SIGNATURE_ALGORITHMS);

/** RFC 9864 gave EdDSA with the curve Ed25519 a name of its own. An issuer that changes over to it signs as before. */
const NAMES_OF_ED25519: readonly string[] = ['EdDSA', 'Ed25519'];

/** A list of algorithms. Whoever names one of the two names of Ed25519 gets both. */
export const algorithms = <A extends string>(one: z.ZodType<A>) =>
  z
    .array(one)
    .min(1)
    .transform((named): string[] =>
      named.some((name) => NAMES_OF_ED25519.includes(name)) ? [...new Set([...named, ...NAMES_OF_ED25519])] : named,
    );

export const origin = z
  .string()
  .refine(
    isSafeOrigin,
    'must be an origin such as https://mayfly.example (http only on loopback), without path or trailing slash',
  );
export const absoluteUri = z.string().refine(isAbsoluteUri, 'must be an absolute URI in ASCII, without a fragment');
export const file = z.string().min(1);
const HOST_PORT = 'must be host:port, such as 127.0.0.1:8080, the host an address or name, [::1]:8080 for IPv6';
export const hostPort = z.string(HOST_PORT).refine(isHostPort, HOST_PORT);
export const keyUrl = z
  .string()
  .refine(isKeyUrl, 'must be an https URL (http only on loopback) without user or password');
/** Returns what to write instead, where a URL names Sentinels, as several clients do; else undefined. */
export const sentinelsInstead = (url: string): string | undefined =>
  /^(?:rediss?[+-])?sentinel:/i.test(url.trim())
    ? 'names Sentinels in a way that is not read here: write `store: { sentinel: [host:port, …], name: mymaster }` in the file'
    : undefined;
export const redisNode = z.string().regex(/^rediss?:\/\/\S+$/, 'must be a redis:// or rediss:// URL');
export const resourcePath = z.string().superRefine((path, context) => {
  const problem = pathProblem(path);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: `the path ${problem}` });
});

/** `<path>:<action>`, as in a scope: the access that it asks for. */
export const scopeAccess = z.string().transform((text, context) => {
  try {
    return accessFromScope(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'is no access' });
    return z.NEVER;
  }
});

/** A name without a colon, so that it never looks like an access. */
export const scopeName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'must be letters, digits, ".", "_", "/" or "-", without a colon');

const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3_600, d: 86_400 };

/** Returns what to write where somebody wrote a duration, such as `5m`, or put a number into quotes. */
function secondsInstead(text: string): string {
  const [, count = '', unit = 's'] = /^(\d{1,6}) ?(s|m|min|h|d)?$/i.exec(text) ?? [];
  const factor = SECONDS_OF[unit.toLowerCase()];
  const example = count === '' || factor === undefined ? 'such as 300' : `here ${Number(count) * factor}`;
  return `must be a number of seconds, without quotes and without a unit: ${example}`;
}

/** `0.0.0.0/0` is none: whoever calls could then write any address. */
export const networkAddress = z
  .string()
  .refine(isNetwork, 'must be an IP address or a CIDR range such as 10.0.0.0/8, and not every address');

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
  if (most === 0 || address.includes('%') || more.length > 0) return false;
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= most);
}

function isAbsoluteUri(text: string): boolean {
  return isName(text) && URL.canParse(text) && !/[#\s]/.test(text);
}

function isHostPort(text: string): boolean {
  const match = /^(\[[\da-f:]+\]|[\w.-]+):(\d{1,5})$/i.exec(text);
  return match !== null && Number(match[2]) <= 65_535;
}

/**
 * Returns whether keys may be fetched from the URL. The answer to this fetch decides which tokens are accepted, so it is
 * never fetched in clear text over a network.
 */
function isKeyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return isSafeOrigin(url.origin) && url.username === '' && url.password === '';
}

/** A `*` that is no segment of its own would be compared as it is, so it would match nothing that its author meant. */
const claimPattern = z
  .union([z.string().min(1), z.boolean(), z.int()])
  .transform(String)
  .refine((text) => wildcardProblem(text) === undefined, {
    error: ({ input }) => `the pattern ${wildcardProblem(String(input)) ?? ''}`,
  });
/** By the name of a claim: the values of which a token must have one. */
export const requiredClaims = z
  .record(z.string().min(1), z.array(claimPattern).min(1).max(64))
  .refine((claims) => Object.keys(claims).length > 0, 'must name a claim');

/** Where a SPIFFE bundle is served. */
const bundleUrl = keyUrl.refine((text) => text.startsWith('https:'), 'must be an https URL, also on loopback');
const spiffeId = z
  .string()
  .refine(
    (text) => trustDomainOf(text) !== undefined,
    'must be the SPIFFE ID of a workload: spiffe://<trust domain>/<path>',
  );
/** Where the keys of a trust domain come from. */
export const bundleSource = z.union([
  z.strictObject({ file: file.describe('A SPIFFE bundle (JWKS); read again when it changes.') }),
  z.strictObject({
    url: bundleUrl.describe('Its bundle endpoint.'),
    profile: z.literal('https_web').describe('The endpoint has a certificate as web sites have one.'),
    ca: file.optional().describe('PEM certificates to trust for this URL instead of the system store.'),
  }),
  z.strictObject({
    url: bundleUrl.describe('Its bundle endpoint.'),
    profile: z.literal('https_spiffe').describe('The endpoint has an X.509-SVID.'),
    id: spiffeId.describe('The SPIFFE ID of the endpoint. Only a server that proves it is believed.'),
    bootstrap: file.describe(
      'A bundle of the trust domain of `id`, whose X.509 authorities verify the endpoint at first.',
    ),
  }),
]);

const keyFile = z.strictObject({ file: file.describe('A JWKS document; read again when it changes.') });
const servedKeys = z.strictObject({
  url: keyUrl.describe('Where the JWKS is served.'),
  ca: file.optional().describe('PEM certificates to trust for this URL instead of the system store.'),
  bearerFile: file.optional().describe('A token to send, read anew for each fetch (Kubernetes).'),
});
const documentKeys = z.strictObject({
  clientDocument: z
    .literal(true)
    .describe('The `issuer` is the URL of a client-id document, whose client signs for itself by the keys in it.'),
  ca: file.optional().describe('PEM certificates to trust for that URL instead of the system store.'),
});
/** Where the keys of an issuer come from. */
export const keySource = z.union([keyFile, servedKeys]);
/** The same, of one that may be a client that signs for itself. */
export const issuerKeys = z.union([keyFile, servedKeys, documentKeys]);
/** The id of a client with such a document has a path, and one spelling: it is compared byte for byte. */
export const isDocumentUrl = (url: string): boolean => {
  if (!isKeyUrl(url)) return false;
  const { href, pathname, hash } = new URL(url);
  return href === url && pathname !== '/' && hash === '';
};
