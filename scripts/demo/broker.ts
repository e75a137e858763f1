/** The real broker process, on LMDB in the demo's directory: started, killed, started again. */
import { once } from 'node:events';
import { cpSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { awsTarget, READS_TENANT_42 } from './aws-account.js';
import { startChild, type Child } from './child.js';
import { call } from './http.js';
import { callsTools, mcpTarget } from './mcp-server.js';
import { MAIN, POLICIES, TICKETS } from './places.js';
import { Unexpected } from './unexpected.js';

export interface BrokerProcess {
  url: string;
  operationsUrl: string;
  start(): Promise<void>;
  /** Sends SIGKILL: the broker cannot clean up. */
  kill(): Promise<void>;
  /** Sends SIGTERM, and waits until the broker has drained. Does nothing when it does not run. */
  end(): Promise<void>;
  /** Returns the last lines that the broker logged. */
  lastWords(): string;
}

const READY_WITHIN_MS = 30_000;

interface Surroundings {
  api: string;
  operations: string;
  issuerUrl: string;
  /** The issuer of people. */
  peopleUrl: string;
  awsUrl: string;
  /** Where the MCP server will listen. */
  mcp: string;
  /** Where the provider will listen at which persons sign in. */
  people: string;
  /** The EDR whose signals the broker accepts. */
  transmitter: object;
}

export function placeBroker(directory: string, around: Surroundings): BrokerProcess {
  const { api, operations } = around;
  const url = `http://${api}`;
  const config = join(directory, 'mayfly.yaml');
  const policies = join(directory, 'policies');
  cpSync(POLICIES, policies, { recursive: true });
  writeFileSync(join(policies, 'tenant-42.cedar'), READS_TENANT_42);
  writeFileSync(join(policies, 'approval.cedar'), WRITES_WAIT);
  writeFileSync(join(policies, 'tools.cedar'), callsTools(around.mcp));
  writeFileSync(config, stringify(configuration({ ...around, url, policies })));
  let running: Child | undefined;

  return {
    url,
    operationsUrl: `http://${operations}`,
    async start() {
      running = startChild(MAIN, [], { MAYFLY_CONFIG: config });
      await isReady(running, `http://${operations}`);
    },
    async kill() {
      await running?.end('SIGKILL');
      running = undefined;
    },
    async end() {
      await running?.end('SIGTERM');
      running = undefined;
    },
    lastWords: () => running?.lastWords() ?? '',
  };
}

const PAGE_CLIENT = 'mayfly-approvals';

/** What fixer may do; its writes need the yes of a person who is on call. */
const WRITES_WAIT = `
@id("fixer-works") permit (principal == Workload::"lab:fixer", action in [Action::"read", Action::"write"], resource);
@id("fixer-writes-wait") @approval("sre-oncall")
forbid (principal == Workload::"lab:fixer", action == Action::"write", resource)
  unless { context.approvals.contains("sre-oncall") };
@id("members-answer") permit (principal, action == Action::"approve", resource) when { principal in resource.group };
`;

/** The first rule stops an agent after one report, the second needs two. The third is too wide: it stops all agents for the secret of one. */
const REACTIONS = [
  { name: 'risk-is-high', event: 'risk-level-change', level: 'HIGH', from: ['edr'], do: 'hold', covers: 'workload' },
  {
    name: 'bad-device',
    event: 'device-compliance-change',
    level: 'HIGH',
    do: 'hold',
    corroborate: { sources: 2, withinSeconds: 300 },
  },
  { name: 'stolen-secret', event: 'credential-compromise', do: 'hold', covers: 'issuer' },
];

const configuration = (at: Surroundings & { url: string; policies: string }) => ({
  issuer: at.url,
  listen: at.api,
  operations: at.operations,
  drainSeconds: 0,
  store: 'lmdb:./store',
  trust: [
    { name: 'lab', kind: 'oidc', issuer: at.issuerUrl, owner: { claim: 'team' }, claims: ['team'] },
    { name: 'staff', kind: 'oidc', issuer: at.peopleUrl, represents: 'person' },
    {
      name: 'people',
      kind: 'oidc',
      issuer: `http://${at.people}`,
      audiences: [PAGE_CLIENT],
      represents: 'person',
      groups: { claim: 'groups' },
    },
  ],
  approvals: { page: { trust: 'people', clientId: PAGE_CLIENT, scopes: ['groups'] } },
  targets: [
    {
      resource: TICKETS,
      minter: 'jwt',
      forwardAuth: { name: 'tickets', routes: [{ match: 'GET /incidents/{id}', access: 'incident/{id}:read' }] },
      labels: [
        { match: 'incident/*/attachment/**', sensitivity: 'restricted' },
        { match: 'customer/**', sensitivity: 'restricted' },
      ],
    },
    awsTarget(at.awsUrl),
    mcpTarget(at.mcp),
  ],
  policy: { engine: 'cedar', directory: at.policies },
  // A rule may stop three agents a minute by itself. With more, a person decides.
  signals: { transmitters: [at.transmitter], reactions: REACTIONS, maxPartiesPerMinute: 3 },
  // One workload requests a thousand credentials here. With the default limit that would take two minutes.
  limits: { perWorkloadPerMinute: 10_000 },
});

async function isReady({ process, lastWords }: Child, operationsUrl: string): Promise<void> {
  const until = performance.now() + READY_WITHIN_MS;
  while (performance.now() < until && process.exitCode === null && process.signalCode === null) {
    const reply = await call(`${operationsUrl}/health/ready`).catch(() => undefined);
    if (reply?.status === 200) return;
    await pause(20);
  }
  throw new Unexpected('a broker that is ready', lastWords());
}

/** Returns free ports. A broker's issuer is its address, so the port must be known before it listens. All are opened at once, so they differ. */
export async function freeAddresses(): Promise<Pick<Surroundings, 'api' | 'operations' | 'mcp' | 'people'>> {
  const probes = [createServer(), createServer(), createServer(), createServer()] as const;
  const addresses = probes.map(async (probe) => {
    await once(probe.listen(0, '127.0.0.1'), 'listening');
    return `127.0.0.1:${(probe.address() as AddressInfo).port}`;
  });
  const [api = '', operations = '', mcp = '', people = ''] = await Promise.all(addresses);
  await Promise.all(probes.map((probe) => once(probe.close(), 'close')));
  return { api, operations, mcp, people };
}
