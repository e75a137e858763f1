/** The load generator, the same for all contenders: each connection sends its next request when it has its answer. */
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

export const CONNECTIONS = 50;

export interface Load {
  url: string;
  headers?: Record<string, string>;
  /** Bodies that are ready to send: forms, unless the headers say otherwise. */
  bodies: readonly string[];
  /** A text that each answer must contain. */
  expect: string;
  /** The status that each answer must have; default: 200. */
  status?: number;
  /** How many connections there are; default: fifty. */
  connections?: number;
}

export interface Driven {
  seconds: number;
  /** Milliseconds, ascending. */
  latencies: number[];
  answers: string[];
}

/** Fails on the first unexpected answer: a quick refusal must not count as speed. */
export async function drive({
  url,
  headers = {},
  bodies,
  expect,
  connections = CONNECTIONS,
  ...load
}: Load): Promise<Driven> {
  const { status: wanted = 200 } = load;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const form = { 'Content-Type': 'application/x-www-form-urlencoded', ...headers };
  const latencies: number[] = [];
  const answers: string[] = [];
  let next = 0;
  const oneConnection = async () => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const sentAt = performance.now();
      const { status, text } = await answered(url, { agent, headers: form, body });
      latencies.push(performance.now() - sentAt);
      if (status !== wanted || !text.includes(expect))
        throw new Error(`${url} answered ${status}: ${text.slice(0, 500)}`);
      answers.push(text);
    }
  };
  const from = performance.now();
  try {
    await Promise.all(Array.from({ length: connections }, oneConnection));
    const seconds = (performance.now() - from) / 1000;
    return { seconds, latencies: latencies.sort((a, b) => a - b), answers };
  } finally {
    agent.destroy();
  }
}

const ATTEMPTS = 5;

/** A broker on a busy machine may answer 503. The request is then repeated as a client would, and the wait counts. */
async function answered(url: string, sent: Post): ReturnType<typeof post> {
  for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) {
    const answer = await post(url, sent);
    if (answer.status !== 503) return answer;
    process.stderr.write('(503) ');
    await pause(attempt * 500);
  }
  return post(url, sent);
}

export interface Post {
  agent?: Agent;
  headers: Record<string, string>;
  body: string;
}

export async function post(
  url: string,
  { agent, headers, body }: Post,
): Promise<{ status: number | undefined; text: string }> {
  const sent = httpRequest(url, {
    method: 'POST',
    ...(agent && { agent }),
    headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, text };
}
