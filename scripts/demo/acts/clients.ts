/** Agents with no code for this broker, or little: the MCP SDK as it is published, and an agent with the Python SDK. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, StaticPrivateKeyJwtProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { z } from 'zod';
import type * as pythonSearch from '../../python.mjs';
import { completedSchema, receiptSchema } from '../answers.js';
import { startProgram, type Child } from '../child.js';
import { good } from '../http.js';
import { PYTHON_AGENT, PYTHON_SDK, PYTHON_SEARCH } from '../places.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { expectThat, Unexpected } from '../unexpected.js';

export async function clientsAct(stage: Stage, tell: Transcript): Promise<void> {
  tell.act('An MCP client as it is published, and an agent in Python');
  await mcpClient(stage, tell);
  const { findPython } = (await import(PYTHON_SEARCH)) as typeof pythonSearch;
  const python = findPython([]);
  if (python === undefined) tell.line('   The steps of python-agent are left out: there is no Python ≥ 3.10 here.');
  else await pythonAgent(stage, tell, python);
}

async function mcpClient(stage: Stage, tell: Transcript): Promise<void> {
  const client = new Client({ name: 'mcp-agent', version: '1.0.0' });

  await tell.step('mcp-agent, made with the MCP SDK, calls a tool of an MCP server', async () => {
    const authProvider = new StaticPrivateKeyJwtProvider({
      clientId: 'lab:mcp-agent',
      jwtBearerAssertion: await stage.identity('mcp-agent'),
      expectedIssuer: stage.broker.url,
    });
    await client.connect(new StreamableHTTPClientTransport(new URL(stage.mcp), { authProvider }));
    const said = await textOf(client);
    expectThat(said.endsWith('for lab:mcp-agent'), 'an answer for lab:mcp-agent', said);
    return [said, 'the server told it where the broker is; it named no task, so the broker opened one'];
  });
  await tell.step('SOC holds mcp-agent', async () => {
    const selector = { kind: 'workload', value: 'lab:mcp-agent' };
    const json = { selector, effect: 'hold', reason: 'what is it doing?' };
    const reply = await stage.ask('/revocations', { bearer: await stage.identity('soc'), json });
    return `entry ${good(reply, receiptSchema).seq}`;
  });
  await tell.step('mcp-agent calls again: its credential is dead, and it gets no other', async () => {
    const came = await textOf(client).catch((error: unknown) => error);
    if (!(came instanceof Error)) throw new Unexpected('an error', String(came));
    return came.message;
  });
  await client.close();
}

const answerSchema = z.object({ content: z.tuple([z.object({ text: z.string() })]) });
const textOf = async (client: Client): Promise<string> =>
  answerSchema.parse(await client.callTool({ name: 'close' })).content[0].text;

async function pythonAgent(stage: Stage, tell: Transcript, python: string): Promise<void> {
  const agent = await startAgent(stage, python);
  let task = '';
  try {
    await tell.step('python-agent opens a task, and reads the incident', async () => {
      const came = z.object({ task: z.string(), read: z.string() }).parse(await agent.says());
      task = came.task;
      expectThat(came.read.startsWith('200 '), '200', came.read);
      return [came.read, `under task ${task}`];
    });
    await tell.step('the orchestrator ends that task', async () => {
      const json = { outcome: 'cancelled', reason: 'nobody needs it' };
      const reply = await stage.ask(`/tasks/${task}/complete`, { bearer: await stage.identity('orchestrator'), json });
      return `entry ${good(reply, completedSchema).revocation.seq}`;
    });
    await tell.step('python-agent goes on: refused by the API, and told why by the broker', async () => {
      agent.goOn();
      const came = z.object({ read: z.string(), said: z.string() }).parse(await agent.says());
      expectThat(came.read.startsWith('401 '), '401', came.read);
      expectThat(came.said.startsWith('TaskEnded'), 'TaskEnded', came.said);
      return [came.read, came.said];
    });
  } finally {
    await agent.end();
  }
}

interface Agent {
  /** Returns what its next line says. */
  says(): Promise<unknown>;
  goOn(): void;
  end(): Promise<void>;
}

async function startAgent(stage: Stage, python: string): Promise<Agent> {
  const identityFile = join(stage.directory, 'python-agent.token');
  writeFileSync(identityFile, await stage.identity('python-agent'), { mode: 0o600 });
  const child = startProgram(python, [PYTHON_AGENT], {
    PYTHONPATH: PYTHON_SDK,
    PYTHONDONTWRITEBYTECODE: '1',
    API: stage.ticketsUrl,
    BROKER: stage.broker.url,
    IDENTITY_FILE: identityFile,
  });
  const lines = linesOf(child);
  return {
    async says() {
      const line = await lines.next();
      if (line.done) throw new Unexpected('a line of the agent', child.lastWords());
      return JSON.parse(line.value) as unknown;
    },
    goOn: () => void child.process.stdin?.write('\n'),
    end: () => child.end('SIGTERM'),
  };
}

async function* linesOf({ process }: Child): AsyncGenerator<string, undefined> {
  if (process.stdout) yield* createInterface({ input: process.stdout });
  return undefined;
}
