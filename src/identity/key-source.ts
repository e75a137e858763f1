/** Where the text of an issuer's key document comes from: a file, a URL, or the URL that its discovery document names. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError } from '../config/problem.js';
import { keyUrl } from '../config/values.js';
import { CLAIM_CHARACTERS_MAX, isName } from '../domain/name.js';
import { KEY_DOCUMENT_BYTES_MAX } from '../config/key-document.js';
import type { DocumentKeys, KeySource as ConfiguredSource } from '../config/trust-schema.js';
import { defined } from '../domain/defined.js';
import type { ProxyFor } from '../outbound/proxy.js';
import { sendRequest, type OutboundRequest } from '../outbound/send-request.js';
import { readDocument, type JsonObject } from '../domain/json-object.js';

export interface KeySource {
  read(): Promise<string>;
  /** How long a text counts as current without another reading. */
  freshForMs: number;
  /** How long after such a reading the text is not read again only because a token fits none of its keys. */
  missPauseMs: number;
}

/** A file is small work on this machine, so whatever fits no key is looked up in what the file has now. */
const FILE = { freshForMs: 1_000, missPauseMs: 0 };
/** Anybody can send a token that fits no key. The pause keeps such tokens from becoming requests to the issuer. */
export const URL_ELSEWHERE = { freshForMs: 600_000, missPauseMs: 30_000 };
const FETCH_LIMIT_MS = 2_000;

/** Where keys are read from: what relative paths start from, and the way out. */
export interface Surroundings {
  baseDirectory: string;
  proxyFor: ProxyFor;
}

export function keySource(source: ConfiguredSource, { baseDirectory, proxyFor }: Surroundings): KeySource {
  const text = (path: string) => readFile(resolve(baseDirectory, path), 'utf8');
  if ('file' in source) return { read: () => text(source.file), ...FILE };
  const read = async () => {
    // Both files are read for each fetch: Kubernetes renews them while the process runs.
    const ca = source.ca === undefined ? undefined : await text(source.ca);
    const bearer = source.bearerFile === undefined ? undefined : (await text(source.bearerFile)).trim();
    return fetchText(source.url, defined({ ca, bearer, proxyFor }));
  };
  return { read, ...URL_ELSEWHERE };
}

/**
 * Returns the keys by OpenID Connect Discovery 1.0 §4. Reading throws a ConfigError where the issuer answers, and its answer and the
 * configuration do not fit: that does not pass as an outage does.
 */
export function discoveredKeySource(issuer: string, { proxyFor }: Pick<Surroundings, 'proxyFor'>): KeySource {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  return keysBehind(
    address,
    () => Promise.resolve({ proxyFor }),
    (metadata, misfit) => {
      // A document that names another issuer was served by, or for, somebody else (§4.3).
      if (metadata['issuer'] !== issuer) {
        throw misfit(`names the issuer ${quoted(metadata['issuer'])}, and the configuration names ${quoted(issuer)}`);
      }
      const keys = keyUrl.safeParse(metadata['jwks_uri']);
      if (!keys.success) throw misfit('names no https URL for its keys (jwks_uri): say in `jwks` where they are');
      return { url: keys.data };
    },
  );
}

/**
 * Returns the keys of a client by its client-id document (draft-ietf-oauth-client-id-metadata-document), whose URL is its id. The
 * document is written by the client: it could name any server, also one that only the broker can reach. So what it names must be
 * where the document is, which the configuration names.
 */
export function documentKeySource(
  clientId: string,
  { ca }: DocumentKeys,
  { baseDirectory, proxyFor }: Surroundings,
): KeySource {
  const trusted = async () =>
    defined({ ca: ca === undefined ? undefined : await readFile(resolve(baseDirectory, ca), 'utf8'), proxyFor });
  return keysBehind(clientId, trusted, (document, misfit) => {
    const { client_id: named, token_endpoint_auth_method: method, jwks, jwks_uri: uri } = document;
    if (named !== clientId) throw misfit(`names the client ${quoted(named)}, which is not its own URL`);
    if (method !== 'private_key_jwt')
      throw misfit('is of a client that does not sign: token_endpoint_auth_method must be private_key_jwt');
    if ((jwks === undefined) === (uri === undefined)) throw misfit('must have either jwks or jwks_uri');
    if (jwks !== undefined) return { text: JSON.stringify(jwks) };
    const keys = keyUrl.safeParse(uri);
    if (!keys.success || new URL(keys.data).origin !== new URL(clientId).origin)
      throw misfit('has its keys elsewhere (jwks_uri): they must have the origin of the document');
    return { url: keys.data };
  });
}

type Behind = (document: JsonObject, misfit: (reason: string) => ConfigError) => { url: string } | { text: string };

/** Returns the keys that another document has, or says where they are. Both requests together have the time of one. */
function keysBehind(address: string, around: () => Promise<Pick<Fetch, 'ca' | 'proxyFor'>>, keysIn: Behind): KeySource {
  const misfit = (reason: string) => new ConfigError([{ source: placeOf(address), path: '', reason }]);
  const read = async () => {
    const deadline = performance.now() + FETCH_LIMIT_MS;
    const fetch = await around();
    const keys = keysIn(readDocument(await fetchText(address, fetch)), misfit);
    if ('text' in keys) return keys.text;
    return fetchText(keys.url, { ...fetch, totalMs: Math.max(1, Math.ceil(deadline - performance.now())) });
  };
  return { read, ...URL_ELSEWHERE };
}

interface Fetch {
  totalMs?: number;
  ca?: string;
  bearer?: string;
  checkServer?: OutboundRequest['checkServer'];
  proxyFor: ProxyFor;
}

export async function fetchText(url: string, { bearer, totalMs = FETCH_LIMIT_MS, ...fetch }: Fetch): Promise<string> {
  const authorization = bearer === undefined ? undefined : `Bearer ${bearer}`;
  const headers = defined({ accept: 'application/json', authorization });
  const { status, body } = await sendRequest(
    defined({ url, method: 'GET' as const, headers, totalMs, bodyBytesMax: KEY_DOCUMENT_BYTES_MAX, ...fetch }),
  ).catch((cause: unknown) => {
    throw new Error(`no answer from ${placeOf(url)}`, { cause });
  });
  if (status !== 200) throw new Error(`${placeOf(url)} answered ${status}`);
  return body;
}

/** What another server says of itself is shown only where it can be nothing but a name. */
const quoted = (issuer: unknown): string =>
  typeof issuer === 'string' && isName(issuer, CLAIM_CHARACTERS_MAX) ? `'${issuer}'` : 'something that is no name';

/** A query may hold a secret. */
function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
