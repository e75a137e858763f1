/**
 * An AWS account on the loopback interface: the parts of STS, IAM and S3 that a credential broker uses, for tests, the
 * demonstration and the benchmark. It follows AWS's documentation. Where the documentation leaves a gap, a comment says so.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { createAccount, type Account } from './account.js';
import { AwsError } from './aws-error.js';
import { createFaults, type Fault, type Faults } from './faults.js';
import { inspect, type Inspection } from './inspection.js';
import { answerTo, namespaceOf, operationName } from './operations.js';
import type { LoopbackAwsOptions } from './options.js';
import { receive, type Received } from './received.js';
import { errorXml } from './xml.js';

export interface LoopbackAws extends Inspection {
  /** The endpoint of STS, IAM and, under /s3, the data plane. */
  url: string;
  faults: Omit<Faults, 'next'>;
  /** Stops the server, and closes connections that wait for an answer. */
  close(): Promise<void>;
}

interface Running {
  account: Account;
  faults: Faults;
  calls: Map<string, number>;
}

interface Answer {
  status: number;
  type?: string;
  body: string;
}

export async function startLoopbackAws(options: LoopbackAwsOptions): Promise<LoopbackAws> {
  const running = { account: createAccount(options), faults: createFaults(), calls: new Map<string, number>() };
  const server = createServer((request, response) => {
    // A client that closed the connection while its request was read gets no answer.
    serve(running, request, response).catch(() => response.destroy());
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    ...inspect(running.account, running.calls),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults: running.faults,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function serve(running: Running, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const received = await receive(request);
  const operation = operationName(received);
  running.calls.set(operation, (running.calls.get(operation) ?? 0) + 1);
  const fault = running.faults.next(operation);
  if (fault?.kind === 'delay') await wait(fault.ms);
  if (fault?.kind === 'hang') return;
  const answer =
    fault?.kind === 'reset'
      ? undefined
      : ((fault && refusal(fault, operation)) ?? (await honest(running.account, received, operation)));
  if (answer && fault?.kind !== 'lost-answer') send(response, answer);
  else request.socket.resetAndDestroy();
}

async function honest(account: Account, received: Received, operation: string): Promise<Answer> {
  try {
    const type = operation === 'GetObject' ? 'text/plain' : 'text/xml';
    return { status: 200, type, body: await answerTo(account, received) };
  } catch (error) {
    const known = error instanceof AwsError ? error : new AwsError('InternalFailure', String(error), 500);
    return errorAnswer(known, operation);
  }
}

function refusal(fault: Fault, operation: string): Answer | undefined {
  switch (fault.kind) {
    case 'status':
      return { status: fault.status, body: '' };
    case 'throttle':
    case 'error': {
      const { code = 'Throttling', message = 'Rate exceeded', status = 400 } = fault;
      return errorAnswer(new AwsError(code, message, status), operation);
    }
    default:
      return undefined;
  }
}

const errorAnswer = (error: AwsError, operation: string): Answer => ({
  status: error.status,
  type: 'text/xml',
  body: errorXml(error, namespaceOf(operation)),
});

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, type === undefined ? {} : { 'content-type': type });
  response.end(body);
}
