/**
 * The verifier behind an MCP server. Each is an object or function of the shape that the MCP SDKs ask for, so that neither is
 * needed here.
 */
import { covers, scopeOf, type Claims, type Needed } from './claims.js';
import { VerificationError } from './errors.js';
import type { Verifier } from './verifier.js';

/** `AuthInfo` of the SDKs, with the claims. */
export interface McpAuthInfo {
  token: string;
  clientId: string;
  scopes: string[];
  expiresAt: number;
  resource: URL;
  extra: { claims: Claims };
  [more: string]: unknown;
}

/**
 * Returns the `verifier` of `requireBearerAuth` of both SDKs. They tell refusals by classes of their own, which you bring:
 * SDK 2 `(message) => new OAuthError(OAuthErrorCode.InvalidToken, message)`, SDK 1 `(message) => new InvalidTokenError(message)`.
 * Whatever else is thrown, they answer with 500.
 */
export const mcpTokenVerifier = (verifier: Verifier, invalidToken: (message: string) => Error) => ({
  async verifyAccessToken(token: string): Promise<McpAuthInfo> {
    const claims = await verifier.verify(token).catch((error: unknown) => {
      throw error instanceof VerificationError && error.status === 401 ? invalidToken(error.message) : error;
    });
    const { client_id: clientId, scope = '', exp: expiresAt, aud } = claims;
    const scopes = scope.split(' ').filter(Boolean);
    return { token, clientId, scopes, expiresAt, resource: new URL(aud), extra: { claims } };
  },
});

/** What a call of a tool needs: the use of the tool, and each thing that it touches with these arguments. */
export interface ToolNeeds<Arguments> {
  /** Such as `{resource: 'tool/read_incident', action: 'execute'}`. */
  use: Needed;
  /** Such as `({number}) => [{resource: 'incident/' + number, action: 'read'}]`; an empty list: it touches nothing. */
  data: (given: Arguments) => readonly Needed[];
}

interface AuthInfo {
  extra?: unknown;
}

interface CallContext {
  http?: { authInfo?: AuthInfo | undefined } | undefined;
  authInfo?: AuthInfo | undefined;
}

interface Refused {
  [more: string]: unknown;
  isError: true;
  content: { type: 'text'; text: string }[];
}

/**
 * Returns a handler of a tool that runs only if the credential of the call still lives, and lets its holder use the tool and touch
 * all that it would touch. Otherwise the result is an error that names the scope that would do, for the model and its client.
 * Both is reported to the broker, unless the verifier has `reportUsage: false`.
 */
export const guardTool =
  <Arguments, Context extends CallContext, Result>(
    verifier: Verifier,
    { use, data }: ToolNeeds<Arguments>,
    handler: (given: Arguments, context: Context) => Result | Promise<Result>,
  ) =>
  async (given: Arguments, context: Context): Promise<Result | Refused> => {
    try {
      const claims = claimsOf(context.http?.authInfo ?? context.authInfo);
      for (const needed of [use, ...data(given)]) verifier.check(claims, needed, { report: true });
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      return refused(error);
    }
    return handler(given, context);
  };

interface ScopeContext {
  request: { params?: { [name: string]: unknown } | undefined };
  authInfo?: AuthInfo;
}

/**
 * Returns the `scopeChallenge` of a tool, in SDK 2: a call that needs more than its credential is for is answered with 403 and all the
 * scopes that it needs, so that a client can get a credential for them. It only says so: `guardTool` is what refuses. The SDK asks it
 * about arguments that were not checked yet; those that `data` cannot read are left to the schema of the tool.
 */
export const scopeChallengeOf =
  <Arguments>({ use, data }: ToolNeeds<Arguments>) =>
  ({ request, authInfo }: ScopeContext): { scopes: [string, ...string[]] } | undefined => {
    const claims = claimsOf(authInfo);
    const needed = readable(() => [use, ...data(request.params?.['arguments'] as Arguments)]);
    if (!needed || needed.every((each) => covers(claims, each))) return undefined;
    const [first, ...others] = needed.map(scopeOf);
    return first !== undefined && areTexts(others) ? { scopes: [first, ...others] } : undefined;
  };

function readable<Read>(read: () => Read): Read | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const areTexts = (scopes: (string | undefined)[]): scopes is string[] => !scopes.includes(undefined);

function claimsOf(authInfo: AuthInfo | undefined): Claims {
  const extra = authInfo?.extra as { claims?: Claims } | undefined;
  if (!extra?.claims) throw new Error('This call did not come through mcpTokenVerifier().');
  return extra.claims;
}

const refused = ({ message, scope }: VerificationError): Refused => ({
  isError: true,
  content: [{ type: 'text', text: scope === undefined ? message : `${message} Needed: ${scope}` }],
});
