// An MCP server (TypeScript SDK 2): about each request it asks the broker whether the credential is alive.
import { serve } from '@hono/node-server';
import {
  createMcpHandler,
  getOAuthProtectedResourceMetadataUrl,
  McpServer,
  OAuthError,
  OAuthErrorCode,
  oauthMetadataResponse,
  requireBearerAuth,
  type OAuthMetadata,
} from '@modelcontextprotocol/server';
import { fromFile } from 'mayfly/client'; // outside of this checkout: '@mayfly-broker/client'
import { z } from 'zod';

const TARGET = 'https://tickets.example'; // as the configuration of the broker names this server
const { MAYFLY_BROKER = 'https://mayfly.example', MAYFLY_IDENTITY = '/var/run/secrets/mayfly/token' } = process.env;
const identity = fromFile(MAYFLY_IDENTITY);

interface Introspected {
  active: boolean;
  aud: string;
  client_id: string;
  scope?: string;
  exp: number;
}

async function verifyAccessToken(token: string) {
  const headers = { Authorization: `Bearer ${await identity()}` };
  const body = new URLSearchParams({ token });
  const answer = await fetch(new URL('/introspect', MAYFLY_BROKER), { method: 'POST', headers, body });
  if (!answer.ok) throw new OAuthError(OAuthErrorCode.ServerError, 'the broker could not be asked');
  const { active, aud, client_id: clientId, scope = '', exp } = (await answer.json()) as Introspected;
  if (!active) throw new OAuthError(OAuthErrorCode.InvalidToken, 'this credential is not alive');
  return { token, clientId, scopes: scope.split(' '), expiresAt: exp, resource: new URL(aud) };
}

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'tickets', version: '1.0.0' });
  server.registerTool('read_incident', { inputSchema: z.object({ number: z.int() }) }, ({ number }, context) => {
    // The credential of a call says what this call may touch.
    const isAllowed = context.http?.authInfo?.scopes.includes(`incident/${number}:read`) ?? false;
    const text = isAllowed ? `incident ${number}: the disk is full` : `refused: incident ${number} is not in the scope`;
    return { content: [{ type: 'text', text }], isError: !isAllowed };
  });
  return server;
});
// RFC 9728: a client that knows no broker finds it by this document.
const found = await fetch(new URL('/.well-known/oauth-authorization-server', MAYFLY_BROKER));
const metadata = { oauthMetadata: (await found.json()) as OAuthMetadata, resourceServerUrl: new URL(TARGET) };
const gate = requireBearerAuth({
  verifier: { verifyAccessToken },
  expectedResource: new URL(TARGET),
  resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(new URL(TARGET)),
});
async function fetchMcp(request: Request): Promise<Response> {
  const document = oauthMetadataResponse(request, metadata);
  if (document) return document;
  const caller = await gate(request);
  return caller instanceof Response ? caller : handler.fetch(request, { authInfo: caller });
}
serve({ fetch: fetchMcp, hostname: '127.0.0.1', port: Number(process.env['PORT'] ?? 8000) });
