/**
 * An MCP server of the story, made with its SDK: it has one tool, asks the broker about each request as docs/resource-servers.md
 * says, and tells clients where the broker is.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';
import { call } from './http.js';

const SCOPE = 'tools.call';
const METADATA = '/.well-known/oauth-protected-resource/mcp';

export const mcpUrl = (address: string): string => `http://${address}/mcp`;

/** The entry of the broker's configuration: what clients get that name no access, no purpose and no task. */
export const mcpTarget = (address: string) => ({
  resource: mcpUrl(address),
  minter: 'jwt',
  scopes: { [SCOPE]: ['tool/**:execute'] },
  defaultAccess: ['tool/**:execute'],
  defaultPurpose: 'tool use',
});

export const callsTools = (address: string): string => `
@id("sre-agents-call-tools")
permit (principal in Owner::"sre", action == Action::"execute", resource in Resource::"${mcpUrl(address)}#tool");

@id("mcp-server-introspects-its-own")
permit (principal == Workload::"lab:mcp-server", action == Action::"introspect", resource == Target::"${mcpUrl(address)}");
`;

interface Around {
  address: string;
  broker: string;
  /** The identity token of the server. */
  identity: string;
}

export async function openMcpServer(around: Around): Promise<{ close(): void }> {
  const server = createServer((request, response) => {
    answer(around, request, response).catch(() => response.destroy());
  });
  const [host, port] = around.address.split(':');
  await once(server.listen(Number(port), host), 'listening');
  return {
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(around: Around, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { address, broker } = around;
  if (request.url === METADATA) {
    const document = { resource: mcpUrl(address), authorization_servers: [broker], scopes_supported: [SCOPE] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
    return;
  }
  const token = /^Bearer ([\w.-]+)$/.exec(request.headers.authorization ?? '')?.[1];
  const caller = token === undefined ? undefined : await callerOf(around, token);
  if (!caller) {
    const challenge = `Bearer resource_metadata="http://${address}${METADATA}"`;
    response.writeHead(401, { 'www-authenticate': challenge }).end();
    return;
  }
  const mcp = new McpServer({ name: 'tickets', version: '1.0.0' });
  const text = `incident 4711 is closed, for ${caller.client_id}`;
  mcp.registerTool('close', {}, () => ({ content: [{ type: 'text', text }] }));
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  await mcp.connect(transport);
  await transport.handleRequest(request, response);
}

const introspected = z.union([
  z.object({ active: z.literal(true), client_id: z.string(), scope: z.string() }),
  z.object({ active: z.literal(false) }),
]);

/** Returns what the broker says of a credential that lives and may call tools; undefined for every other. */
async function callerOf({ broker, identity }: Around, token: string): Promise<{ client_id: string } | undefined> {
  const { text } = await call(`${broker}/introspect`, { form: { token }, bearer: identity });
  const said = introspected.parse(JSON.parse(text));
  return said.active && said.scope.split(' ').includes(SCOPE) ? said : undefined;
}
