/**
 * A login at an OpenID provider, from a terminal: by a browser on this host (authorization code with PKCE, redirect to loopback:
 * RFC 8252), or by a code that is typed into a browser elsewhere (RFC 8628).
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as oidc from 'openid-client';
import { isLoopback } from '../../domain/safe-origin.js';
import { oneLine } from '../../domain/text.js';
import { toTimestamp } from '../../domain/time.js';
import { withoutTokens } from '../../domain/token-in-text.js';

interface Wish {
  /** The issuer, exact. */
  provider: string;
  clientId: string;
  scope: string;
  device?: true;
  /** Of the redirect; 0 for any that is free. */
  port: number;
}

interface SignedIn {
  /** The ID token: what the provider says of this person to this client. */
  token: string;
  who: string;
  /** RFC 3339. */
  until: string;
}

const PATIENCE_MS = 300_000;

export async function signIn(wish: Wish, say: (text: string) => void): Promise<SignedIn> {
  try {
    const provider = await discovered(wish);
    const answer = await (wish.device ? byCode(provider, wish, say) : byBrowser(provider, wish, say));
    const claims = answer.claims();
    if (answer.id_token === undefined || !claims)
      throw new Error('the provider gave no ID token: ask for the scope openid');
    const { sub, email, exp } = claims;
    return { token: answer.id_token, who: typeof email === 'string' ? email : sub, until: toTimestamp(exp * 1000) };
  } catch (error) {
    throw new Error(`The login failed: ${reasonOf(error)}.`, { cause: error });
  }
}

const discovered = ({ provider, clientId }: Wish): Promise<oidc.Configuration> => {
  const issuer = new URL(provider);
  // A public client: it runs on hosts of people, where no secret of its own would be one.
  return oidc.discovery(issuer, clientId, undefined, oidc.None(), {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- a warning, not a deprecation: http is for loopback alone
    execute: isLoopback(issuer.hostname) ? [oidc.allowInsecureRequests] : [],
  });
};

type Answer = Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;

async function byCode(provider: oidc.Configuration, { scope }: Wish, say: (text: string) => void): Promise<Answer> {
  const asked = await oidc.initiateDeviceAuthorization(provider, { scope });
  say(oneLine(`Open ${asked.verification_uri} in a browser, and type this code there: ${asked.user_code}`));
  say('Type it only if you have started this login yourself: whoever sends you a code wants to be you.');
  return oidc.pollDeviceAuthorizationGrant(provider, asked);
}

async function byBrowser(
  provider: oidc.Configuration,
  { scope, port }: Wish,
  say: (text: string) => void,
): Promise<Answer> {
  const verifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const redirect = await redirectWith(state, port);
  try {
    const address = oidc.buildAuthorizationUrl(provider, {
      redirect_uri: redirect.uri,
      scope,
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    say(`Open this in a browser on this host; without one, use --device:\n${address.href}`);
    return await oidc.authorizationCodeGrant(provider, await redirect.arrived, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
  } finally {
    redirect.close();
  }
}

interface Redirect {
  uri: string;
  /** The address that the browser came back to, with the code in it. */
  arrived: Promise<URL>;
  close: () => void;
}

/** Waits on loopback for the browser that comes back. Whoever does not know the state is told nothing, and ends no login. */
async function redirectWith(state: string, port: number): Promise<Redirect> {
  let uri = '';
  const server = createServer((request, response) => {
    // Other users of this host call it too, and with anything: `//` is no address.
    const { url: asked = '' } = request;
    const address = new URL(URL.canParse(asked, uri) ? asked : '/', uri);
    const isIt = address.pathname === '/callback' && address.searchParams.get('state') === state;
    response.writeHead(isIt ? 200 : 404, {
      'Content-Type': 'text/plain',
      'Cache-Control': 'no-store',
      Connection: 'close',
    });
    response.end(isIt ? 'Done. Close this window and go back to the terminal.' : 'There is nothing here.');
    if (isIt) server.emit('arrived', address);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  const arrived = once(server, 'arrived', { signal: AbortSignal.timeout(PATIENCE_MS) }).then(
    ([address]) => address as URL,
    () => {
      throw new Error('nobody came back from the browser within five minutes');
    },
  );
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { uri, arrived, close };
}

/** The texts of a provider are shown on one line, and never a token. */
function reasonOf(error: unknown): string {
  const { message, error: code, error_description: text } = error as Record<string, unknown>;
  const said = [code, text].filter((part) => typeof part === 'string').join(': ');
  return withoutTokens(oneLine(said || (typeof message === 'string' ? message : 'unknown'))).replace(/\.$/, '');
}
