// An MCP server (TypeScript SDK 2) that hears what dies. To use a tool is one thing, and what it touches is another.
import { serve } from '@hono/node-server';
import {
  createMcpHandler,
  getOAuthProtectedResourceMetadataUrl,
  McpServer,
  OAuthError,
  OAuthErrorCode,
  requireBearerAuth,
} from '@modelcontextprotocol/server';
import { createVerifier, fromFile, guardTool, mcpTokenVerifier, metadataOf, scopeChallengeOf } from 'mayfly/verifier'; // outside of this checkout: '@mayfly-broker/verifier'
import { z } from 'zod';

const TARGET = 'https://tickets.example'; // as the configuration of the broker names this server
const { MAYFLY_BROKER = 'https://mayfly.example', MAYFLY_IDENTITY = '/var/run/secrets/mayfly/token' } = process.env;

const verifier = createVerifier({ issuer: MAYFLY_BROKER, audience: TARGET, identity: fromFile(MAYFLY_IDENTITY) });

// What each call of the tool needs, by its arguments: without the first nobody uses it, and with that alone it touches nothing.
const needs = {
  use: { resource: 'tool/read_incident', action: 'execute' },
  data: ({ number }: { number: number }) => [{ resource: `incident/${number}`, action: 'read' }],
};

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'tickets', version: '1.0.0' });
  // A client that can ask for more is told the scopes, by 403; the guard is what refuses.
  const tool = { inputSchema: z.object({ number: z.int() }), scopeChallenge: scopeChallengeOf(needs) };
  server.registerTool(
    'read_incident',
    tool,
    guardTool(verifier, needs, ({ number }) => ({
      content: [{ type: 'text', text: `incident ${number}: the disk is full` }],
    })),
  );
  return server;
});

// RFC 9728: a client that knows no broker finds it by this document.
const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(new URL(TARGET));
const gate = requireBearerAuth({
  verifier: mcpTokenVerifier(verifier, (message) => new OAuthError(OAuthErrorCode.InvalidToken, message)),
  expectedResource: new URL(TARGET),
  resourceMetadataUrl,
});
async function fetchMcp(request: Request): Promise<Response> {
  if (new URL(request.url).pathname === new URL(resourceMetadataUrl).pathname) {
    return Response.json(metadataOf(verifier));
  }
  const caller = await gate(request);
  return caller instanceof Response ? caller : handler.fetch(request, { authInfo: caller });
}
// Until it has heard all that is dead, it would refuse everything.
await verifier.ready();
serve({ fetch: fetchMcp, hostname: '127.0.0.1', port: Number(process.env['PORT'] ?? 8000) });
