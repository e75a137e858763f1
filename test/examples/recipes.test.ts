/**
 * The recipes of examples/ as a newcomer runs them: each a process of its own, with the library it is about, a broker and the MCP
 * servers of the recipes. Models are scripted. What a recipe does is read from the broker: its tasks and what was granted under them.
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Client, StreamableHTTPClientTransport, type InsufficientScopeError } from '@modelcontextprotocol/client';
import { packagesOf, TEMPORAL_JARS } from '../../scripts/python.mjs';
import { mayfly } from '../../src/client/index.js';
import { BUCKET, details, ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';
import { handClock } from '../support/clock.js';
import { startProcess, TICKETS, type BrokerProcess } from '../support/brokers/process.js';
import { temporaryDirectory } from '../support/directory.js';
import { freePort } from '../../scripts/free-port.js';
import {
  identityFile,
  needing,
  ofNode,
  ofPython,
  python,
  run,
  serve,
  startChild,
  type Env,
  type Recipe,
} from '../support/recipes.js';
import { until } from '../support/until.js';

let broker: BrokerProcess;
beforeAll(async () => (broker = await startProcess()));

const runAs = (
  recipe: Recipe,
  workload: string,
  more: Env = {},
  at: Pick<BrokerProcess, 'url' | 'identity'> = broker,
) => run({ ...recipe, env: { ...recipe.env, ...more } }, workload, at);
const serveMcp = (recipe: Recipe) => serve(recipe, 'POST /mcp', broker);

/** What the broker knows of a workload: the states of its tasks, and the paths that were granted, in order. */
async function known(workload: string): Promise<{ tasks: unknown[]; paths: string[] }> {
  const { body } = await broker.get(`/audit?workload=lab:${workload}`, await broker.identity('soc'));
  const lines = (body as { lines: string[] }).lines.map((line) => JSON.parse(line) as Line);
  const orchestrator = await broker.identity('orchestrator');
  const granted = lines.filter(({ type }) => type === 'credential.granted');
  // A task that was handed on is opened by its first credential.
  const opened = [...lines.filter(({ type }) => type === 'task.opened'), ...granted].map(({ task }) => task);
  const tasks = await Promise.all([...new Set(opened)].map((id) => broker.get(`/tasks/${id}`, orchestrator)));
  return {
    tasks: tasks.map(({ body: task }) => (task as { state: string }).state),
    paths: granted.flatMap(({ access = [] }) => access.map(({ path }) => path)),
  };
}
interface Line {
  type: string;
  task: string;
  access?: { path: string }[];
}

const LANGCHAIN = ofPython('test/examples/langchain_run.py', 'examples/langchain', 'examples/langchain/agent.py');
const BOTO3 = ofPython('test/examples/boto3_run.py', 'examples', 'examples/boto3/session.py');
const TEMPORAL = ofPython('test/examples/temporal_run.py', 'examples/temporal', 'examples/temporal/workflow.py');
const AIRFLOW: Recipe = {
  command: [python ?? '', '-m', 'airflow'],
  env: { PYTHONPATH: [resolve('sdk/python/src'), packagesOf('examples/airflow')].join(':') },
};
const OPENAI = ofPython('test/examples/openai_agents_run.py', 'examples', 'examples/openai-agents/agent.py');
/** The path that stands for the use of the tool. */
const TOOL = 'tool/read_incident';
const FASTAPI = ofPython('examples/fastapi-api/app.py');
const [CLIENT_TS, SERVER_TS, EXPRESS] = [ofNode('mcp/client'), ofNode('mcp/server'), ofNode('express-api/server')];
const [CLIENT_PY, SERVER_PY] = [ofPython('examples/mcp/client.py'), ofPython('examples/mcp/server.py')];

needing(packagesOf('examples'), packagesOf('examples/langchain'))('an agent', () => {
  let servers: Record<'ts' | 'py', string>;
  beforeAll(async () => {
    const [ts, py] = await Promise.all([SERVER_TS, SERVER_PY].map((recipe) => serveMcp(recipe)));
    servers = { ts: ts ?? '', py: py ?? '' };
  });

  it.each([
    ['the MCP client in TypeScript', CLIENT_TS, 'ts'],
    ['the MCP client in TypeScript', CLIENT_TS, 'py'],
    ['the MCP client in Python', CLIENT_PY, 'ts'],
    ['the MCP client in Python', CLIENT_PY, 'py'],
    ['the agent of the OpenAI Agents SDK', OPENAI, 'py'],
  ] as const)('reads its incident, and its task is completed: %s', async (what, recipe, server) => {
    const workload = `${what.replaceAll(' ', '-')}-${server}`;
    const { code, said } = await runAs(recipe, workload, { TICKETS_ORIGIN: servers[server] });
    expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining('incident 4711: the disk is full') });
    expect(await known(workload)).toEqual({ tasks: ['completed'], paths: [TOOL, 'incident/4711'] });
  });

  it('gets a credential for what each tool call touches: LangGraph', async () => {
    const { code, said } = await runAs(LANGCHAIN, 'langgraph', { TICKETS_ORIGIN: servers.ts, MODEL_ASKS: '4712' });
    expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining('incident 4712: the disk is full') });
    expect(await known('langgraph')).toEqual({ tasks: ['completed'], paths: [TOOL, TOOL, 'incident/4712'] });
  });

  it('gets no credential when its model asks for more than one incident, and its task fails', async () => {
    const { code, said } = await runAs(LANGCHAIN, 'wide', { TICKETS_ORIGIN: servers.ts, MODEL_ASKS: '"*"' });
    expect({ code, said }).toMatchObject({ code: 1, said: expect.stringContaining('not one plain segment') });
    expect(await known('wide')).toEqual({ tasks: ['failed'], paths: [TOOL] });
  });

  it.each([
    ['failed', 'MODEL_FAILS'],
    ['cancelled', 'CANCELLED'],
  ])('whose run is over ends its task as %s', async (outcome, how) => {
    expect((await runAs(OPENAI, outcome, { TICKETS_ORIGIN: servers.ts, [how]: 'yes' })).code).toBe(1);
    expect((await known(outcome)).tasks).toEqual([outcome]);
  });

  it.each(['ts', 'py'] as const)('is told by the MCP server (%s) which broker it believes', async (server) => {
    const challenge = (await fetch(`${servers[server]}/mcp`, { method: 'POST' })).headers.get('www-authenticate');
    const where = /resource_metadata="([^"]+)"/.exec(challenge ?? '')?.[1] ?? '';
    const document: unknown = await (await fetch(where.replace(TICKETS, servers[server]))).json();
    expect(document).toMatchObject({ authorization_servers: [broker.url] });
  });

  // The one answers with 403 before the tool is reached, and names all that the call needs; the other by the result of the tool.
  it.each([
    ['ts', `InsufficientScopeError ${TOOL}:execute `, `InsufficientScopeError ${TOOL}:execute incident/4711:read`],
    ['py', 'Needed: ', `Needed: ${TOOL}:execute`],
  ] as const)(
    'reaches nothing else at the MCP server (%s), and nothing once its task is over',
    async (server, forOther, forTool) => {
      const token = await broker.identity(`own-${server}`);
      const task = await mayfly({ url: broker.url, identity: () => token }).task({ purpose: 'triage' });
      const { token: credential } = await task.credential(TICKETS, [`${TOOL}:execute`, 'incident/4711:read']);
      const { token: useless } = await task.credential(TICKETS, 'incident/4711:read');
      const read = async (number: number, token = credential): Promise<string> => {
        const client = new Client({ name: 'test', version: '1.0.0' });
        const authProvider = { token: () => Promise.resolve(token) };
        await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', servers[server]), { authProvider }));
        const { content } = await client.callTool({ name: 'read_incident', arguments: { number } });
        await client.close();
        return JSON.stringify(content);
      };
      const refusal = (...call: Parameters<typeof read>) =>
        read(...call).catch((error: unknown) => {
          const { name, requiredScope } = error as InsufficientScopeError;
          return `${name} ${requiredScope}`;
        });
      expect(await read(4711)).toContain('the disk is full');
      expect(await refusal(4712)).toContain(`${forOther}incident/4712:read`);
      expect(await refusal(4711, useless)).toContain(forTool);
      await task.complete();
      const headers = { authorization: `Bearer ${credential}` };
      const status = async () => (await fetch(`${servers[server]}/mcp`, { method: 'POST', headers })).status;
      await until(async () => (await status()) === 401, 'the server does not hear that the task is over');
      await expect(read(4711)).rejects.toThrow();
    },
  );
});

describe.each([
  ['express', EXPRESS, describe],
  ['FastAPI', FASTAPI, needing(packagesOf('examples'))],
] as const)('an API: %s', (name, recipe, describeHere) => {
  describeHere('with the verifier', () => {
    it('decides by itself who may read which incident, and cuts what runs when a task is over', async () => {
      const origin = await serve(recipe, 'GET /incident/4711', broker);
      const token = await broker.identity(`user-of-${name}`);
      const task = await mayfly({ url: broker.url, identity: () => token }).task({ purpose: 'triage' });
      const { token: credential } = await task.credential(TICKETS, 'incident/4711:read');
      const read = (path: string) => fetch(`${origin}/${path}`, { headers: { authorization: `Bearer ${credential}` } });
      expect(await (await read('incident/4711')).text()).toMatch(
        new RegExp(`incident.*4711.*${task.id}.*disk is full`),
      );
      const other = await read('incident/4712');
      expect([other.status, other.headers.get('www-authenticate')]).toEqual([
        403,
        expect.stringContaining('scope="incident/4712:read"'),
      ]);
      const log = ((await read('incident/4711/log')).body as ReadableStream<Uint8Array>).getReader();
      expect(new TextDecoder().decode((await log.read()).value)).toContain('the disk is full');
      await task.complete();
      // It would go on for ever.
      const rest = async (): Promise<void> => ((await log.read()).done ? undefined : rest());
      await expect(rest()).rejects.toThrow('terminated');
      expect((await read('incident/4711')).status).toBe(401);
    });
  });
});

describe.each([
  ['in TypeScript', ofNode('two-agents/planner'), ofNode('two-agents/scout'), describe],
  [
    'in Python',
    ofPython('examples/two-agents/planner.py'),
    ofPython('examples/two-agents/scout.py'),
    needing(packagesOf('examples')),
  ],
] as const)('two agents, %s', (language, planner, scout, describeHere) => {
  describeHere('of which one works with what the other gave it', () => {
    const name = language.slice(3).toLowerCase();
    let env: Env;
    beforeAll(async () => {
      const origin = await serve(EXPRESS, 'GET /incident/4711', broker);
      const recipe = { ...scout, env: { ...scout.env, TICKETS_ORIGIN: origin } };
      env = { SCOUT_ORIGIN: await serve(recipe, 'GET /incident/4711', broker, { workload: `scout-${name}` }) };
    });

    it('reads its incident, with a credential that is for both, and both tasks are completed', async () => {
      const { code, said } = await runAs(planner, `planner-${name}`, env);
      expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining('the disk is full') });
      expect(await known(`planner-${name}`)).toEqual({ tasks: ['completed'], paths: ['incident/4711'] });
      expect(await known(`scout-${name}`)).toEqual({ tasks: ['completed'], paths: ['incident/4711'] });
    });

    it('gets no more than was given, and nothing of what is dead', async () => {
      const token = await broker.identity(`wide-${name}`);
      const task = await mayfly({ url: broker.url, identity: () => token }).task({ purpose: 'triage' });
      const { token: given } = await task.credential(TICKETS, 'incident/4711:read');
      const ask = async (number: number) => {
        const answer = await fetch(`${env['SCOUT_ORIGIN']}/incident/${number}`, {
          headers: { Authorization: `Bearer ${given}` },
        });
        return [answer.status, await answer.text()];
      };
      expect(await ask(4711)).toEqual([200, expect.stringContaining('the disk is full')]);
      expect(await ask(4712)).toEqual([403, expect.stringContaining('beyond')]);
      await task.complete();
      expect(await ask(4711)).toEqual([403, expect.not.stringContaining('the disk is full')]);
    });
  });
});

describe('a coding agent, by a stand-in that does with its configuration what the agent does', () => {
  let env: Env;
  beforeAll(async () => {
    const bin = temporaryDirectory();
    const programs = {
      mayfly: 'dist/src/cli/main.js',
      claude: 'test/examples/stand-ins/claude.mjs',
      codex: 'test/examples/stand-ins/codex.mjs',
    };
    for (const [name, path] of Object.entries(programs)) {
      writeFileSync(join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${resolve(path)}" "$@"\n`, {
        mode: 0o755,
      });
    }
    env = { TICKETS_ORIGIN: await serveMcp(SERVER_TS), PATH: `${bin}:${process.env['PATH']}` };
  });
  const recipe = (name: string): Recipe => ({ command: ['sh', resolve(`examples/coding-agents/${name}.sh`)], env });

  it.each([
    // The first credential is the one that exec always has ready.
    ['claude', [TOOL, 'incident/4711', TOOL, 'incident/4711']],
    ['codex', [TOOL, 'incident/4711']],
  ])('%s reads its incident, and its task is completed', async (name, paths) => {
    const { code, said } = await runAs(recipe(name), name, env);
    expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining('incident 4711: the disk is full') });
    expect(await known(name)).toEqual({ tasks: ['completed'], paths });
  });

  it.each(['claude', 'codex'])('%s that fails has failed its task', async (name) => {
    expect((await runAs(recipe(name), `${name}-fails`, { ...env, TOOL_FAILS: 'yes' })).code).toBe(3);
    expect((await known(`${name}-fails`)).tasks).toEqual(['failed']);
  });
});

needing(packagesOf('examples'))('boto3', () => {
  let aws: AwsBroker;
  let env: Env;
  beforeAll(async () => {
    aws = await startAwsBroker({ clock: handClock(Date.now()) });
    const region = { AWS_DEFAULT_REGION: 'eu-central-1', AGENT_ROLE: ROLE };
    env = { ...region, AWS_ENDPOINT_URL_STS: aws.aws.url, AWS_ENDPOINT_URL_S3: `${aws.aws.url}/s3` };
  });

  it('reads an object with a session of its task', async () => {
    const { code, said } = await runAs(ofPython('examples/boto3/session.py'), 'reader', env, aws);
    expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining(`${BUCKET}/tenant-42/report.txt`) });
  });

  it('gets no further session once its task is over', async () => {
    const { code, said } = await runAs(BOTO3, 'late', env, aws);
    const role = ROLE.replace(/^.*\//, '');
    expect({ code, said }).toEqual({
      code: 0,
      said: expect.stringMatching(`^arn:.*assumed-role/${role}/.*\nTaskEnded\n$`),
    });
  });

  it('needs no code where the environment names the broker', async () => {
    const named = `${aws.url}/aws/credentials/${encodeURIComponent(ROLE)}?purpose=summarise&authorization_details=`;
    const uri = named + encodeURIComponent(details(`${BUCKET}/tenant-42/*`));
    const file = await identityFile('unchanged', aws);
    const unchanged = { ...env, AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file };
    const { code, said } = await runAs(ofPython('test/examples/boto3_unchanged_run.py'), 'unchanged', unchanged, aws);
    expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining('assumed-role') });
  });
});

needing(packagesOf('examples/temporal'), TEMPORAL_JARS)('Temporal', () => {
  it('completes the task by the verdict of the workflow, and workers only leave it', async () => {
    const port = String(await freePort());
    const server = ['-cp', `${TEMPORAL_JARS}/*`, 'io.temporal.testserver.TestServer', port];
    startChild('java', server);
    const { code, said } = await runAs(TEMPORAL, 'temporal', { TEMPORAL_PORT: port });
    expect({ code, said: said.split('\n').filter((line) => /^\d/.test(line)) }).toEqual({
      code: 0,
      said: [
        '4711 incident 4711, by a credential for incident/4711:read',
        '4712 incident 4712, by a credential for incident/4712:read',
        '4713 CancelledError',
        '4714 ActivityError',
        '4715 ActivityError',
      ],
    });
    const { tasks, paths } = await known('temporal');
    expect(tasks).toEqual(['completed', 'completed', 'cancelled', 'failed', 'cancelled']);
    // The second was tried again, by another credential of the same task.
    expect(paths).toEqual([4711, 4712, 4712, 4713, 4714, 4715].map((number) => `incident/${number}`));
  });
});

needing(packagesOf('examples/airflow'))('Airflow', () => {
  const home = temporaryDirectory();
  const airflow = async (...args: string[]) => {
    const folder = resolve('examples/airflow');
    const settings = { CORE__PLUGINS_FOLDER: folder, CORE__DAGS_FOLDER: folder, CORE__LOAD_EXAMPLES: 'False' };
    const named = Object.entries(settings).map(([name, value]) => [`AIRFLOW__${name}`, value]);
    const env = { AIRFLOW_HOME: home, ...(Object.fromEntries(named) as Env) };
    return runAs({ ...AIRFLOW, command: [...AIRFLOW.command, ...args] }, 'airflow', env);
  };

  it('ends a task of the broker with each try of a task instance', async () => {
    expect(await airflow('db', 'migrate')).toMatchObject({ code: 0 });
    expect(await airflow('dags', 'test', 'triage', '-c', '{"number": 4711}')).toMatchObject({ code: 0 });
    expect(await airflow('dags', 'test', 'triage', '-c', '{"number": "*"}')).toMatchObject({ code: 1 });
    expect(await known('airflow')).toEqual({ tasks: ['completed', 'failed'], paths: ['incident/4711'] });
  }, 300_000);
});
