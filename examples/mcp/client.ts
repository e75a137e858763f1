// An agent (MCP TypeScript SDK 2) that reads one incident, with a credential that dies with its task.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { fromFile, mayfly, mcpAuthFor } from 'mayfly/client'; // outside of this checkout: '@mayfly-broker/client'

const TARGET = 'https://tickets.example'; // as the configuration of the broker names the server
const { MAYFLY_BROKER = 'https://mayfly.example', MAYFLY_IDENTITY = '/var/run/secrets/mayfly/token' } = process.env;
const { TICKETS_ORIGIN = TARGET } = process.env; // where the server is, if not at its own name

const broker = mayfly({ url: MAYFLY_BROKER, identity: fromFile(MAYFLY_IDENTITY) });

// The task is open while this runs: completed after a return, failed after a throw. Heartbeats are sent meanwhile.
await broker.run({ purpose: 'triage' }, async (task) => {
  const access = ['tool/read_incident:execute', 'incident/4711:read'];
  const authProvider = mcpAuthFor(task, { target: TARGET, access });
  const client = new Client({ name: 'triage', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', TICKETS_ORIGIN), { authProvider }));
  try {
    const { content } = await client.callTool({ name: 'read_incident', arguments: { number: 4711 } });
    console.log(JSON.stringify(content));
  } finally {
    await client.close();
  }
});
