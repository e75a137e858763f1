// The MCP client of both. With `TOOL_FAILS` the tool ends as one that failed.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

export async function readIncident(url, headers) {
  const client = new Client({ name: 'stand-in', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  const { content } = await client.callTool({ name: 'read_incident', arguments: { number: 4711 } });
  console.log(JSON.stringify(content));
  await client.close();
  process.exitCode = process.env['TOOL_FAILS'] === undefined ? 0 : 3;
}
