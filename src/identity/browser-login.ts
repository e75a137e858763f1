/**
 * The login of a person in a browser, at a provider of the configuration: authorization code with PKCE, state and nonce (OpenID
 * Connect Core §3.1, RFC 7636, RFC 9700). It ends with an ID token, which `identify` then judges like any other.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as oidc from 'openid-client';
import type { ApproverPage } from '../config/approver-page-schema.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { isLoopback } from '../domain/safe-origin.js';
import { oneLine } from '../domain/text.js';
import { toSeconds, type Clock } from '../domain/time.js';
import { withoutTokens } from '../domain/token-in-text.js';
import type { ProxyFor } from '../outbound/proxy.js';
import { sendRequest } from '../outbound/send-request.js';
import { JWT_ASSERTION } from '../protocol/oauth.js';

/** What only this browser and the broker know of a login that has begun. */
export interface LoginSecrets {
  state: string;
  nonce: string;
  verifier: string;
}

/** Both throw `temporarily_unavailable` where the provider does not answer, or not as it should, or too many logins are under way. */
export interface BrowserLogin {
  /** Returns where the browser is sent. */
  begin(secrets: LoginSecrets): Promise<URL>;
  /**
   * Returns the ID token. Throws `access_denied` where the provider says no, or the browser comes with another login's answer; and
   * `slow_down` where too many come from one address.
   */
  finish(secrets: LoginSecrets, cameBackTo: URL, address?: string): Promise<string>;
}

interface LoginSetup {
  page: ApproverPage;
  /** The issuer of the provider, exact. */
  provider: string;
  redirectUri: string;
  clock: Clock;
  clockSkewSeconds: number;
  proxyFor: ProxyFor;
  /** Signs by a key of this broker. */
  sign: (payload: Record<string, unknown>, header: { typ: string }) => Promise<string>;
  /** Throws `slow_down` if too many logins of that address end in a minute. */
  assertWithin: (address: string) => Promise<void>;
}

const PATIENCE_MS = 5_000;
const ANSWER_BYTES_MAX = 64 * 1024;
/** Endpoints of a provider rarely move. */
const METADATA_FRESH_MS = 600_000;
/** A provider that was down is not asked by each request of strangers. */
const METADATA_MISSED_MS = 5_000;
const ASSERTION_SECONDS = 60;
/** Nobody has proven who they are yet: so many requests wait for the provider, and no more. */
const UNDER_WAY_MOST = 32;

export function openBrowserLogin(setup: LoginSetup): BrowserLogin {
  const { page, redirectUri, clockSkewSeconds } = setup;
  const metadataOf = rememberedMetadata(setup);
  let underWay = 0;

  const clientOf = async (): Promise<oidc.Configuration> => {
    const tolerance = { [oidc.clockTolerance]: clockSkewSeconds };
    const client = new oidc.Configuration(await metadataOf(), page.clientId, tolerance, await secretOf(page));
    return prepared(client, setup);
  };

  async function idTokenFor({ state, nonce, verifier }: LoginSecrets, cameBackTo: URL): Promise<string> {
    const client = await clientOf();
    const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
    const answer = await oidc.authorizationCodeGrant(client, cameBackTo, checks, await proofOf(setup, client));
    if (answer.id_token === undefined) throw new Error('the provider gave no ID token');
    return answer.id_token;
  }

  return {
    begin: (secrets) =>
      attempted(async () => {
        const challenge = await oidc.calculatePKCECodeChallenge(secrets.verifier);
        return oidc.buildAuthorizationUrl(await clientOf(), {
          redirect_uri: redirectUri,
          scope: [...new Set(['openid', ...page.scopes])].join(' '),
          state: secrets.state,
          nonce: secrets.nonce,
          code_challenge: challenge,
          code_challenge_method: 'S256',
        });
      }),
    finish: (secrets, cameBackTo, address = '') =>
      attempted(async () => {
        // An answer to a login that somebody else has begun would sign this person in as that one.
        if (cameBackTo.searchParams.get('state') !== secrets.state) throw new BrokerError('access_denied', OTHER_LOGIN);
        await setup.assertWithin(address);
        if (underWay >= UNDER_WAY_MOST) throw tooMany();
        underWay += 1;
        try {
          return await idTokenFor(secrets, cameBackTo);
        } finally {
          underWay -= 1;
        }
      }),
  };
}

const tooMany = () =>
  new BrokerError('temporarily_unavailable', 'Too many people sign in at this moment.', {
    retryAfterSeconds: 5,
    isOutage: false,
  });

/** Returns what reads the metadata of the provider: for many at once it is read once, and so it is after it could not be read. */
function rememberedMetadata(setup: LoginSetup): () => Promise<oidc.ServerMetadata> {
  let last: { metadata: Promise<oidc.ServerMetadata>; at: number; isMissed?: true } | undefined;
  return () => {
    const now = setup.clock.elapsed();
    if (last && now - last.at <= (last.isMissed ? METADATA_MISSED_MS : METADATA_FRESH_MS)) return last.metadata;
    const next: typeof last = { metadata: discovered(setup).then((found) => found.serverMetadata()), at: now };
    next.metadata.catch(() => {
      next.isMissed = true;
      next.at = setup.clock.elapsed();
    });
    last = next;
    return next.metadata;
  };
}

const discovered = (setup: LoginSetup): Promise<oidc.Configuration> => {
  const issuer = new URL(setup.provider);
  return oidc.discovery(issuer, setup.page.clientId, undefined, oidc.None(), {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- a warning, not a deprecation: http is for loopback alone
    execute: isLoopback(issuer.hostname) ? [oidc.allowInsecureRequests] : [],
    [oidc.customFetch]: fetchOf(setup),
    timeout: PATIENCE_MS / 1000,
  });
};

function prepared(client: oidc.Configuration, setup: LoginSetup): oidc.Configuration {
  client[oidc.customFetch] = fetchOf(setup);
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- see above
  if (isLoopback(new URL(setup.provider).hostname)) oidc.allowInsecureRequests(client);
  return client;
}

/** Requests go out like all others of the broker: by its proxy, with its limits, and over TLS or on this machine alone. */
const fetchOf =
  ({ page: { ca: caFile }, proxyFor }: LoginSetup): oidc.CustomFetch =>
  async (url, { method, headers, body }) => {
    const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
    const sent =
      body === undefined || body === null ? undefined : Buffer.from(String(body as URLSearchParams | string));
    const answer = await sendRequest({
      url,
      method: method === 'POST' ? 'POST' : 'GET',
      headers: { ...headers },
      totalMs: PATIENCE_MS,
      bodyBytesMax: ANSWER_BYTES_MAX,
      readsRefusals: true,
      proxyFor,
      ...defined({ ca, body: sent }),
    });
    // A body that is no JSON fails when it is parsed, whatever type it was sent as.
    return new Response(answer.body === '' ? null : answer.body, {
      status: answer.status,
      headers: { 'Content-Type': 'application/json' },
    });
  };

/** The secret is read for each login: whoever renews it need not restart the broker. */
async function secretOf({ authenticates, clientSecretFile }: ApproverPage): Promise<oidc.ClientAuth> {
  if (clientSecretFile === undefined) return oidc.None();
  const secret = (await readFile(clientSecretFile, 'utf8')).trim();
  return authenticates === 'client_secret_basic' ? oidc.ClientSecretBasic(secret) : oidc.ClientSecretPost(secret);
}

/**
 * Returns the parameters by which the broker proves itself as a client without a secret (RFC 7523 §2.2). The provider finds the keys
 * where every verifier finds them.
 */
async function proofOf({ page, clock, sign }: LoginSetup, client: oidc.Configuration): Promise<Record<string, string>> {
  if (page.authenticates !== 'private_key_jwt') return {};
  const now = toSeconds(clock.now());
  const { issuer: aud } = client.serverMetadata();
  const { clientId } = page;
  const claims = { iss: clientId, sub: clientId, aud, jti: randomUUID(), iat: now, exp: now + ASSERTION_SECONDS };
  return { client_assertion_type: JWT_ASSERTION, client_assertion: await sign(claims, { typ: 'JWT' }) };
}

const OTHER_LOGIN = 'That answer belongs to no login that this browser has begun just now.';

async function attempted<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw refusalFor(error);
  }
}

/** What the provider said is for the log alone: the person reads what to do. */
function refusalFor(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  const details = { cause: error, advice: saidBy(error) };
  if (error instanceof oidc.AuthorizationResponseError)
    return new BrokerError('access_denied', 'The provider did not sign you in.', details);
  const isUsed = error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant';
  const isForOther = (error as { code?: string }).code === 'OAUTH_JWT_CLAIM_COMPARISON_FAILED';
  if (isUsed || isForOther) return new BrokerError('access_denied', OTHER_LOGIN, details);
  return new BrokerError(
    'temporarily_unavailable',
    'The provider where approvers sign in does not answer as it should.',
    {
      ...details,
      retryAfterSeconds: 30,
    },
  );
}

function saidBy(error: unknown): string {
  const { message, error: code, error_description: text } = error as Record<string, unknown>;
  return withoutTokens(oneLine([message, code, text].filter((part) => typeof part === 'string').join(': ')));
}
