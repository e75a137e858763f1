/** Everything the story needs, removed afterwards: a directory, an issuer, an EDR, the broker, the API, an MCP server, AWS. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAwsAccount, type AwsAccount } from './aws-account.js';
import { freeAddresses, placeBroker, type BrokerProcess } from './broker.js';
import { startChild, type Child } from './child.js';
import { call, type Asking, type Reply } from './http.js';
import { openEdr, type Edr } from './edr.js';
import { openIssuer } from './issuer.js';
import { mcpUrl, openMcpServer } from './mcp-server.js';
import { OPENID_PROVIDER, TICKETS, TICKETS_API } from './places.js';

export interface Stage {
  directory: string;
  broker: BrokerProcess;
  aws: AwsAccount;
  edr: Pick<Edr, 'event'>;
  /** Returns an identity token of `lab:<name>`, valid for an hour. */
  identity: (name: string) => Promise<string>;
  /** Returns an identity token of `staff:<name>`, who is a person. */
  person: (name: string) => Promise<string>;
  /** Calls the broker. */
  ask: (path: string, asking: Asking) => Promise<Reply>;
  /** POST /token, for the tickets API unless the wish names another resource. */
  exchange: (identity: string, wish: Wish) => Promise<Reply>;
  /** Introspects the token as the API does, and returns the exact answer. */
  introspect: (token: string) => Promise<string>;
  ticketsUrl: string;
  /** The URL of the MCP server. */
  mcp: string;
  /** Calls the tickets API. */
  tickets: (method: 'GET' | 'PUT', path: string, token: string) => Promise<Reply>;
}

interface Wish {
  subject_token_type?: string;
  actor_token?: string;
  actor_token_type?: string;
  resource?: string;
  scope?: string;
  authorization_details?: string;
  purpose?: string;
  task_id?: string;
  lifetime?: string;
}

/** Runs `play` on a stage; whatever happens, no process and no file is left behind. */
export async function onStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-demo-'));
  const [issuer, people] = [await openIssuer(), await openIssuer()];
  const addresses = await freeAddresses();
  const aws = await openAwsAccount(`http://${addresses.api}`);
  const edr = await openEdr(directory, issuer.url);
  const { transmitter } = edr;
  const broker = placeBroker(directory, {
    ...addresses,
    issuerUrl: issuer.url,
    peopleUrl: people.url,
    awsUrl: aws.url,
    transmitter,
  });
  const provider = startChild(OPENID_PROVIDER, [addresses.people.split(':')[1] ?? '', broker.url], {});
  let api: Child | undefined;
  let mcp: { close(): void } | undefined;
  try {
    await broker.start();
    const identity = (name: string) => issuer.identity(name, broker.url);
    const apiIdentity = await identity('tickets-api');
    const identityFile = join(directory, 'tickets-api.token');
    writeFileSync(identityFile, apiIdentity, { mode: 0o600 });
    api = startChild(TICKETS_API, [broker.url, identityFile], {});
    const ticketsUrl = await firstLine(api);
    const { mcp: address } = addresses;
    mcp = await openMcpServer({ address, broker: broker.url, identity: await identity('mcp-server') });
    const ask: Stage['ask'] = (path, asking) => call(`${broker.url}${path}`, asking);
    await play({
      directory,
      broker,
      aws,
      edr,
      identity,
      person: (name) => people.identity(name, broker.url),
      ask,
      exchange: (bearer, wish) => ask('/token', { form: { ...exchangeForm(bearer), ...wish } }),
      introspect: async (token) => (await ask('/introspect', { form: { token }, bearer: apiIdentity })).text,
      ticketsUrl,
      mcp: mcpUrl(address),
      tickets: (method, path, bearer) => call(`${ticketsUrl}/${path}`, { method, bearer }),
    });
  } finally {
    mcp?.close();
    await provider.end('SIGTERM');
    await api?.end('SIGTERM');
    await broker.end();
    await aws.close();
    issuer.close();
    people.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const exchangeForm = (identity: string) => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  subject_token: identity,
  resource: TICKETS,
});

async function firstLine({ process, lastWords }: Child): Promise<string> {
  while (!lastWords().includes('http')) {
    if (process.exitCode !== null || !process.stdout) throw new Error(`the tickets API did not start: ${lastWords()}`);
    await once(process.stdout, 'data');
  }
  return lastWords();
}
