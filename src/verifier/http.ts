/**
 * The verifier in front of an HTTP API, for express, `node:http` and whatever else has requests of Node. It refuses as RFC 6750 §3
 * has it, names where the broker is found (RFC 9728), and cuts the request whose credential dies.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { scopeOf, type Claims, type Needed } from './claims.js';
import { VerificationError } from './errors.js';
import type { Verifier } from './verifier.js';

export interface ProtectOptions<R extends IncomingMessage = IncomingMessage> {
  /**
   * What a request is about to do; undefined where a live credential for this API is enough. Asked about requests without a credential
   * too: they are told which scope would do. If it throws, the answer is 500.
   */
  needs?: (request: R) => Needed | undefined;
  /** `scopes_supported` of the metadata: names of the broker's configuration, for clients that look for some. */
  scopes?: readonly string[];
}

/** A request that was let in. */
export interface Admitted {
  claims: Claims;
  /** Aborted when the credential dies or the request is over. */
  signal: AbortSignal;
}

type Middleware<R> = (request: R, response: ServerResponse, next: () => void) => void;

const admitted = new WeakMap<IncomingMessage, Admitted>();

/** Returns with which credential the request was let in. Throws for one that did not come through `protect`. */
export function admittedOf(request: IncomingMessage): Admitted {
  const found = admitted.get(request);
  if (!found) throw new Error('This request did not come through protect().');
  return found;
}

/** Where the metadata of a protected resource is (RFC 9728 §3.1): a path of the same server. */
const metadataUrl = (audience: string): URL => {
  const { origin, pathname } = new URL(audience);
  return new URL(`/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}`, origin);
};

/** Returns the metadata of the API (RFC 9728 §2). */
export const metadataOf = ({ audience, issuer }: Verifier, scopes?: readonly string[]) => ({
  resource: audience,
  authorization_servers: [issuer],
  bearer_methods_supported: ['header'],
  ...(scopes && { scopes_supported: scopes }),
});

/**
 * Returns a middleware. It answers 401, 403 and 503 by itself, and calls `next` for what is let in. When the credential dies meanwhile,
 * the connection is closed: half an answer is not to look like a whole one.
 */
export function protect<R extends IncomingMessage = IncomingMessage>(
  verifier: Verifier,
  { needs, scopes }: ProtectOptions<R> = {},
): Middleware<R> {
  const { href: resourceMetadata, pathname } = metadataUrl(verifier.audience);
  async function admit(request: R, response: ServerResponse): Promise<boolean> {
    const needed = needs?.(request);
    const scope = needed && scopeOf(needed);
    const token = bearerOf(request.headers.authorization);
    if (token === undefined) return refuse(response, { status: 401, scope, resourceMetadata });
    try {
      const claims = await verifier.verify(token, needed);
      cutWhenDead(verifier, claims, { request, response });
      return !response.destroyed;
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      return refuse(response, { status: error.status, error, scope, resourceMetadata });
    }
  }
  return (request, response, next) => {
    if (pathOf(request) === pathname) {
      json(response, 200, metadataOf(verifier, scopes));
      return;
    }
    admit(request, response).then(
      (isIn) => {
        if (isIn) next();
      },
      // `needs` threw: what a request needs is not known, so it gets nothing.
      () => json(response, 500, { error: 'server_error' }),
    );
  };
}

function cutWhenDead(
  verifier: Verifier,
  claims: Claims,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): void {
  const over = new AbortController();
  admitted.set(request, { claims, signal: over.signal });
  const stop = verifier.onRevoked(claims, (error) => {
    // First: work that is told to stop must not be able to end the answer as if it were whole.
    response.destroy();
    over.abort(error);
  });
  response.once('close', () => {
    stop();
    over.abort();
  });
}

/** RFC 6750 §2.1. A second header, a cookie or a query parameter is no credential. */
const bearerOf = (header: string | undefined): string | undefined => /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];

/** express rewrites `url` below the path of a router, and keeps what was sent. */
function pathOf(request: IncomingMessage & { originalUrl?: string }): string {
  return (request.originalUrl ?? request.url ?? '').split('?')[0] ?? '';
}

interface Refusal {
  status: number;
  error?: VerificationError;
  /** What would do; undefined where nothing or anything would. */
  scope: string | undefined;
  resourceMetadata: string;
}

/** Returns the challenge (RFC 6750 §3, RFC 9728 §5.1). Of what a caller sent, it has at most a path and an action: see `scopeOf`. */
function challengeOf({ error, scope, resourceMetadata }: Omit<Refusal, 'status'>): string {
  const parts = [
    ...(error ? [`error="${error.code}"`, `error_description="${error.message}"`] : []),
    ...(scope === undefined ? [] : [`scope="${scope}"`]),
    `resource_metadata="${resourceMetadata}"`,
  ];
  return `Bearer ${parts.join(', ')}`;
}

function refuse(response: ServerResponse, refusal: Refusal): false {
  const { status, error } = refusal;
  if (status === 503) response.setHeader('Retry-After', '1');
  else response.setHeader('WWW-Authenticate', challengeOf(refusal));
  json(response, status, error ? { error: error.code, error_description: error.message } : {});
  return false;
}

function json(response: ServerResponse, status: number, body: object): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Cache-Control', 'no-store');
  response.end(JSON.stringify(body));
}
