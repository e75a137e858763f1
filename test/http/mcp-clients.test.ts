/**
 * Unmodified MCP clients (SDK 1 and 2) before an MCP server that asks the broker about each call: they find the broker by the
 * metadata of the server, sign their own assertions or bring an identity token, and lose access with the task.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as sdk2 from '@modelcontextprotocol/client';
import {
  createPrivateKeyJwtAuth,
  PrivateKeyJwtProvider,
  StaticPrivateKeyJwtProvider,
} from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import { findPython, hasPackages, PACKAGES } from '../../scripts/python.mjs';
import { fetchFor, mayfly, mcpAuthFor } from '../../src/client/index.js';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { serveClient, type ClientSite } from '../support/issuers/client-site.js';

const CLIENT = 'mcp-host';
const PERMITS = `
@id("hosts-call") permit (principal, action == Action::"execute", resource) when { context.purposeFrom == "default" };
@id("hosts-open") permit (principal, action == Action::"openTask", resource);
@id("agents-call") permit (principal in Owner::"sre", action == Action::"execute", resource);`;

let broker: TestBroker;
let server: Server;
let resource: string;
let privateKey: string;
/** A host with a client-id document. */
let site: ClientSite;
/** Who called under which task, for each call that was let in. */
let calls: { caller: string; task: string }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  resource = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const pair = await generateKeyPair('ES256', { extractable: true });
  privateKey = await exportPKCS8(pair.privateKey);
  const jwk = { ...(await exportJWK(pair.publicKey)), alg: 'ES256', use: 'sig', kid: 'one' };
  const file = join(temporaryDirectory(), 'host.jwks.json');
  writeFileSync(file, JSON.stringify({ keys: [jwk] }));
  const clock = handClock(Date.now());
  site = await serveClient({ clock });
  site.document = { jwks: { keys: [jwk] } };
  const ca = join(temporaryDirectory(), 'site-ca.pem');
  writeFileSync(ca, site.authority);
  broker = await startBroker({
    clock,
    trust: [
      { name: 'hosts', kind: 'oidc', issuer: CLIENT, jwks: { file }, require: { sub: [CLIENT] } },
      { name: 'apps', kind: 'oidc', issuer: site.url, jwks: { clientDocument: true, ca } },
    ],
    policies:
      PERMITS +
      `@id("asks") permit (principal == Workload::"lab:mcp-server", action == Action::"introspect", resource);`,
    config: {
      targets: [
        { resource: TICKETS, minter: 'jwt' },
        {
          resource,
          minter: 'jwt',
          scopes: { 'tools.call': ['tool/**:execute'] },
          defaultAccess: ['tool/**:execute'],
          defaultPurpose: 'tool-use',
        },
      ],
    },
  });
});
// The clients sign by the real time.
beforeEach(() => broker.advance(Date.now() - broker.clock.now()));
afterAll(() => {
  server.close();
  server.closeAllConnections();
  return site.close();
});

interface Introspected {
  active: boolean;
  scope?: string;
  client_id: string;
  txn: string;
}

/** An MCP server as its SDK makes it, behind ten lines that ask the broker. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url?.startsWith('/.well-known/oauth-protected-resource')) {
    response.setHeader('Content-Type', 'application/json');
    response.end(printed('json', /^[^]*$/));
    return;
  }
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const { body } = await broker.introspect(token, await broker.identity('mcp-server'));
  const { active, scope = '', client_id: caller, txn: task } = body as Introspected;
  if (!active || !scope.split(' ').includes('tools.call')) {
    response.writeHead(401, { 'WWW-Authenticate': printed('http', /(?<=WWW-Authenticate: ).*/) }).end();
    return;
  }
  calls.push({ caller, task });
  const mcp = new McpServer({ name: 'tickets', version: '1.0.0' });
  mcp.registerTool('close', {}, () => ({ content: [{ type: 'text', text: 'closed' }] }));
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  await mcp.connect(transport);
  await transport.handleRequest(request, response);
}

/** What docs/resource-servers.md tells MCP servers to answer, with the addresses of this test. */
function printed(language: string, part: RegExp): string {
  const section = readFileSync('docs/resource-servers.md', 'utf8').split('## For MCP servers\n')[1] ?? '';
  const block = section.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? '';
  const text = part.exec(block)?.[0] ?? '';
  return text
    .replaceAll('https://tickets.example', new URL(resource).origin)
    .replace('https://mayfly.example', broker.url);
}

type Transport1 = ConstructorParameters<typeof StreamableHTTPClientTransport>[1];
type Transport2 = ConstructorParameters<typeof sdk2.StreamableHTTPClientTransport>[1];

/** Each returns a connected client, or throws what the SDK throws. */
async function connected1(options: Transport1): Promise<Client> {
  const client = new Client({ name: 'host', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(resource), options));
  return client;
}
async function connected2(options: Transport2): Promise<sdk2.Client> {
  const client = new sdk2.Client({ name: 'host', version: '1.0.0' });
  await client.connect(new sdk2.StreamableHTTPClientTransport(new URL(resource), options));
  return client;
}

const signing = () => ({ clientId: CLIENT, privateKey, algorithm: 'ES256', expectedIssuer: broker.url });
const holding = async () => ({
  clientId: 'lab:agent-7',
  jwtBearerAssertion: await broker.identity('agent-7'),
  expectedIssuer: broker.url,
});

type Saved = { client_id: string } | undefined;
type Tokens = { access_token: string; token_type: string } | undefined;

/** What a host says of itself that has a client-id document: the SDK makes its URL the client id where the metadata know that. */
function documented(addClientAuthentication: ReturnType<typeof createPrivateKeyJwtAuth>) {
  let [client, tokens]: [Saved, Tokens] = [undefined, undefined];
  const noLogin = () => {
    throw new Error('nobody logs in');
  };
  return {
    redirectUrl: undefined,
    clientMetadataUrl: site.url,
    clientMetadata: { redirect_uris: [], grant_types: ['client_credentials'] },
    clientInformation: () => client,
    saveClientInformation: (saved: Saved) => void (client = saved),
    tokens: () => tokens,
    saveTokens: (saved: Tokens) => void (tokens = saved),
    redirectToAuthorization: noLogin,
    saveCodeVerifier: () => undefined,
    codeVerifier: noLogin,
    prepareTokenRequest: (scope = '') => new URLSearchParams({ grant_type: 'client_credentials', scope }),
    addClientAuthentication,
  };
}
const asDocumented = () => ({ issuer: site.url, subject: site.url, privateKey, alg: 'ES256' });

const WAYS: [string, string, () => Promise<Client | sdk2.Client>][] = [
  [
    'SDK 1, signing its assertions',
    `hosts:${CLIENT}`,
    () => connected1({ authProvider: new PrivateKeyJwtProvider(signing()) }),
  ],
  [
    'SDK 1, with an identity token',
    'lab:agent-7',
    async () => connected1({ authProvider: new StaticPrivateKeyJwtProvider(await holding()) }),
  ],
  [
    'SDK 2, signing its assertions',
    `hosts:${CLIENT}`,
    () => connected2({ authProvider: new sdk2.PrivateKeyJwtProvider(signing()) }),
  ],
  [
    'SDK 2, with an identity token',
    'lab:agent-7',
    async () => connected2({ authProvider: new sdk2.StaticPrivateKeyJwtProvider(await holding()) }),
  ],
];

describe('an unmodified MCP client', () => {
  it.each<[string, () => Promise<Client | sdk2.Client>]>([
    ['SDK 1', () => connected1({ authProvider: documented(createPrivateKeyJwtAuth(asDocumented())) })],
    ['SDK 2', () => connected2({ authProvider: documented(sdk2.createPrivateKeyJwtAuth(asDocumented())) })],
    [
      'SDK 2, its own provider',
      () => connected2({ authProvider: new sdk2.PrivateKeyJwtProvider({ ...signing(), clientId: site.url }) }),
    ],
  ])('with a client-id document finds the broker, and calls a tool: %s', async (_sdk, connect) => {
    calls = [];
    const client = await connect();
    expect(await client.callTool({ name: 'close' })).toMatchObject({ content: [{ text: 'closed' }] });
    expect(new Set(calls.map(({ caller }) => caller))).toEqual(new Set([`apps:${site.url}`]));
    expect(new Set(site.requests)).toEqual(new Set(['/client.json']));
    await client.close();
  });

  it.each(WAYS)('finds the broker, and calls a tool: %s', async (_what, workload, connect) => {
    calls = [];
    const client = await connect();
    expect(await client.callTool({ name: 'close' })).toMatchObject({ content: [{ text: 'closed' }] });
    expect(new Set(calls.map(({ caller }) => caller))).toEqual(new Set([workload]));
    expect(new Set(calls.map(({ task }) => task)).size).toBe(1);
    await client.close();
  });

  it('goes on under another task once its own is completed, which it never named', async () => {
    calls = [];
    const client = await connected2({ authProvider: new sdk2.StaticPrivateKeyJwtProvider(await holding()) });
    await client.callTool({ name: 'close' });
    const task = calls.at(-1)?.task;
    const orchestrator = await broker.identity('orchestrator');
    await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, orchestrator);
    expect(await client.callTool({ name: 'close' })).toMatchObject({ content: [{ text: 'closed' }] });
    expect(calls.at(-1)?.task).not.toBe(task);
    await client.close();
  });

  it('is shut out while its workload is held', async () => {
    const client = await connected2({ authProvider: new sdk2.PrivateKeyJwtProvider(signing()) });
    const hold = { selector: { kind: 'workload', value: `hosts:${CLIENT}` }, effect: 'hold', reason: 'test' };
    expect((await broker.post('/revocations', hold, await broker.identity('soc'))).status).toBe(200);
    calls = [];
    await expect(client.callTool({ name: 'close' })).rejects.toThrow();
    expect(calls).toEqual([]);
    await client.close();
  });
});

describe('an MCP host that logs a person in', () => {
  it.each([
    ['SDK 1, not registered', connected1, undefined, /does not support dynamic client registration/],
    ['SDK 1, with a client id', connected1, { client_id: CLIENT }, /does not support response type code/],
    ['SDK 2, not registered', connected2, undefined, /does not support dynamic client registration/],
    ['SDK 2, with a client id', connected2, { client_id: CLIENT }, /does not support response type code/],
  ] as const)('says that it cannot, and sends nobody anywhere: %s', async (_what, connected, client, why) => {
    const sent: URL[] = [];
    const authProvider = {
      redirectUrl: 'http://127.0.0.1:1/callback',
      clientMetadata: { redirect_uris: ['http://127.0.0.1:1/callback'] },
      clientInformation: () => client && { ...client, issuer: broker.url },
      saveClientInformation: () => undefined,
      tokens: () => undefined,
      saveTokens: () => undefined,
      saveCodeVerifier: () => undefined,
      codeVerifier: () => 'v'.repeat(43),
      redirectToAuthorization: (url: URL) => void sent.push(url),
    };
    await expect(connected({ authProvider })).rejects.toThrow(why);
    expect(sent).toEqual([]);
  });
});

const python = hasPackages() ? findPython() : undefined;
if (python === undefined)
  console.warn('Left out, because it was not fetched (npm test, with a network): mcp for Python.');

(python === undefined ? describe.skip : describe)('the MCP SDK for Python', () => {
  it('finds the broker with a projected token, calls a tool, and is shut out while its workload is held', async () => {
    calls = [];
    const client = await startPython('agent-8');
    expect(await client.call()).toBe('closed');
    expect(await client.call()).toBe('closed');
    expect(new Set(calls.map(({ caller }) => caller))).toEqual(new Set(['lab:agent-8']));
    const hold = { selector: { kind: 'workload', value: 'lab:agent-8' }, effect: 'hold', reason: 'test' };
    expect((await broker.post('/revocations', hold, await broker.identity('soc'))).status).toBe(200);
    calls = [];
    expect(await client.call()).toMatch(/^it ended: [^]*OAuth/);
    expect(calls).toEqual([]);
  });
});

/** The client of test/interop. `call` returns what the tool answered; and after the end of the client, what that said. */
async function startPython(sub: string): Promise<{ call(): Promise<string> }> {
  const identity = join(temporaryDirectory(), 'token');
  writeFileSync(identity, await broker.identity(sub));
  const child = spawn(
    python ?? '',
    [resolve('test/interop/python/mcp_client.py'), resource, identity, `lab:${sub}`, broker.url],
    { env: { PATH: process.env['PATH'], PYTHONPATH: PACKAGES, PYTHONDONTWRITEBYTECODE: '1' } },
  );
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const ended = once(child, 'close').then(() => `it ended: ${complaint}`);
  return {
    call() {
      child.stdin.write('\n');
      return Promise.race([once(child.stdout, 'data').then(([chunk]) => String(chunk).trim()), ended]);
    },
  };
}

describe('@mayfly-broker/client', () => {
  it.each(['SDK 1', 'SDK 2'])('gives a task to a transport of %s, and the tool is shut with the task', async (sdk) => {
    const token = await broker.identity('agent-9');
    const task = await mayfly({ url: broker.url, identity: () => token }).task({ purpose: 'summarise' });
    const wish = { target: resource, access: 'tool/**:execute' };
    const client =
      sdk === 'SDK 1'
        ? await connected1({ fetch: fetchFor(task, wish) })
        : await connected2({ authProvider: mcpAuthFor(task, wish) });
    expect(await client.callTool({ name: 'close' })).toMatchObject({ content: [{ text: 'closed' }] });
    await task.complete();
    await expect(client.callTool({ name: 'close' })).rejects.toThrow();
    await client.close();
  });
});
