/** The one HTTPS client, against real servers on loopback that misbehave. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import https from 'node:https';
import type { RequestListener } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { OutboundError, sendRequest, type OutboundRequest } from '../../../src/outbound/send-request.js';
import { createServerCertificate } from '../../support/issuers/certificate.js';

/** The client as `npm run build` made it, for a process that is not a test. */
const built = new URL('../../../dist/src/outbound/send-request.js', import.meta.url);

const { authority, certificate: cert, key } = createServerCertificate();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Site {
  url: string;
  /** Every connection there ever was. */
  sockets: Socket[];
}

async function site(server: net.Server, scheme = 'https'): Promise<Site> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => undefined)));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/keys`, sockets };
}

const secure = (listener: RequestListener): Promise<Site> => site(https.createServer({ key, cert }, listener));

/** This server speaks TLS, and then sends whatever the test says. */
const talking = (talk: (socket: Socket) => void): Promise<Site> =>
  site(tls.createServer({ key, cert }, (socket) => talk(socket.on('error', () => undefined).resume())));

const HEAD = 'HTTP/1.1 200 OK\r\n';

function drip(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => socket.write(text.charAt(at++) || 'x'), 20);
  socket.once('close', () => clearInterval(timer));
}

const ask = ({ url }: { url: string }, more: Partial<OutboundRequest> = {}) =>
  sendRequest({ url, method: 'GET', headers: {}, ca: authority, totalMs: 2_000, bodyBytesMax: 1_000, ...more });

const failureOf = async (answer: Promise<unknown>): Promise<OutboundError> => {
  const error: unknown = await answer.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OutboundError);
  // Whatever the server said stays with the server, and so does the address.
  expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/hunter2|127\.0\.0\.1/);
  expect((error as OutboundError).cause).toBeUndefined();
  return error as OutboundError;
};

const closed = async ({ sockets }: Site): Promise<void> => {
  for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
};

it.each(['', ' ', '\n'])(
  'a CA file that holds %j and no certificate is refused, and does not mean every authority',
  async (ca) => {
    const { url } = await secure((_, response) => response.end('ok'));
    expect(await failureOf(ask({ url }, { ca }))).toMatchObject({
      reason: 'insecure',
      message: 'The CA file is empty.',
    });
  },
);

describe('A request', () => {
  it('sends method, headers and body, and answers status and body', async () => {
    const server = await secure((request, response) => {
      request.toArray().then(
        (chunks) =>
          response.end(`${request.method} ${String(request.headers['x-one'])} ${Buffer.concat(chunks).toString()}`),
        () => undefined,
      );
    });
    const answer = await ask(server, { method: 'POST', headers: { 'x-one': '1' }, body: Buffer.from('hello') });
    expect(answer).toEqual({ status: 200, body: 'POST 1 hello' });
  });

  it('leaves no connection behind, whatever came of it', async () => {
    const server = await secure((request, response) =>
      response.writeHead(request.url === '/keys' ? 200 : 500).end('x'),
    );
    await Promise.all(Array.from({ length: 8 }, (_, n) => ask({ url: n % 2 ? server.url : `${server.url}/no` })));
    await closed(server);
    expect(server.sockets).toHaveLength(8);
  });

  it('takes the CA it is given, and from the next request on another', async () => {
    const server = await secure((_, response) => response.end('well'));
    await expect(ask(server)).resolves.toMatchObject({ status: 200 });
    await failureOf(ask(server, { ca: createServerCertificate().authority }));
  });
});

describe('A server is not trusted', () => {
  it('that has a certificate of another authority, or one that the system does not know', async () => {
    const requests: unknown[] = [];
    const server = await secure((request, response) => response.end(String(requests.push(request))));
    for (const ca of [createServerCertificate().authority, undefined]) {
      const asked = { url: server.url, method: 'GET' as const, headers: {}, totalMs: 2_000, bodyBytesMax: 1_000 };
      expect(await failureOf(sendRequest({ ...asked, ...(ca !== undefined && { ca }) }))).toMatchObject({
        reason: 'failed',
        code: expect.stringMatching(/\w/),
      });
    }
    expect(requests).toEqual([]);
  });

  it('whose certificate is for another name', async () => {
    const server = await secure((_, response) => response.end('hunter2'));
    const url = server.url.replace('127.0.0.1', '127.0.0.2');
    expect(await failureOf(ask({ url }))).toMatchObject({ reason: 'failed' });
  });

  it('even where NODE_TLS_REJECT_UNAUTHORIZED makes others accept it', async () => {
    const server = await secure((_, response) => response.end('hunter2'));
    const asked = { url: server.url, method: 'GET', headers: {}, totalMs: 2_000, bodyBytesMax: 1_000 };
    // The request runs in a process of its own: `process.env` of a test is a copy that Node's TLS does not read.
    const script = `
      import https from 'node:https';
      import { sendRequest } from '${built.href}';
      const others = await new Promise((resolve, reject) => https.get('${server.url}', resolve).on('error', reject));
      const ours = await sendRequest(${JSON.stringify(asked)}).then(({ body }) => body, ({ reason }) => reason);
      console.log(others.statusCode, ours);
      process.exit();`;
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { env });
    expect(stdout).toBe('200 failed\n');
  });

  it.each(['http://192.0.2.1/', 'http://localhost.example/', 'file:///etc/passwd', 'no address'])(
    'at %s, which is never asked',
    async (url) => {
      expect(await failureOf(ask({ url }))).toMatchObject({ reason: 'insecure' });
    },
  );
});

describe('A server cannot', () => {
  it('send the request elsewhere: a redirect is an answer, and is not followed', async () => {
    const paths: (string | undefined)[] = [];
    const server = await secure((request, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: '/elsewhere' }).end('hunter2');
    });
    expect(await ask(server)).toEqual({ status: 307, body: '' });
    expect(paths).toEqual(['/keys']);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['never answering', () => undefined],
    ['sending headers one byte at a time', (socket) => drip(socket, 'HTTP/1.1 200 OK\r\nx-one: hunter2')],
    ['never ending the body', (socket) => socket.write(`${HEAD}Content-Length: 100\r\n\r\nhunter2`)],
    ['sending the body one byte at a time', (socket) => drip(socket, `${HEAD}Content-Length: 500\r\n\r\nhunter2`)],
  ])('outlast the time there is, by %s', async (_, talk) => {
    const server = await talking(talk);
    expect(await failureOf(ask(server, { totalMs: 300 }))).toMatchObject({ reason: 'timeout' });
    await closed(server);
  });

  it('outlast it by never finishing the TLS handshake', async () => {
    const server = await site(net.createServer((socket) => socket.resume()));
    expect(await failureOf(ask(server, { totalMs: 300 }))).toMatchObject({ reason: 'timeout' });
    await closed(server);
  });

  it.each<[string, string]>([
    ['with a length', `${HEAD}Content-Length: 1000000000\r\n\r\n`],
    ['without end', `${HEAD}\r\n`],
  ])('send a body larger than is read, %s', async (_, head) => {
    let written = 0;
    const server = await talking((socket) => {
      const pour = () => {
        while (socket.writable && written < 100_000_000) {
          written += 16_384;
          if (!socket.write(Buffer.alloc(16_384, 'x'))) return void socket.once('drain', pour);
        }
      };
      socket.once('data', () => {
        socket.write(head);
        pour();
      });
    });
    expect(await failureOf(ask(server))).toMatchObject({ reason: 'too-large' });
    await closed(server);
    expect(written).toBeLessThan(20_000_000);
  });

  it('send a small body that unpacks to a large one: nothing is unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(500_000));
    const server = await secure((_, response) => response.setHeader('content-encoding', 'gzip').end(bomb));
    const { body } = await ask(server);
    expect(body.length).toBeLessThanOrEqual(bomb.length);
  });

  it('have the body of a refusal read, or any body where none is asked for', async () => {
    const server = await talking((socket) =>
      socket.once('data', (head) => {
        const status = head.includes('/refused') ? '503 No' : '200 OK';
        socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 1000000000\r\n\r\nhunter2`);
      }),
    );
    // With this much time left, only the client itself can be the reason that the connection ends.
    const totalMs = 60_000;
    expect(await ask({ url: `${server.url}/refused` }, { totalMs })).toEqual({ status: 503, body: '' });
    expect(await ask(server, { totalMs, bodyBytesMax: 0 })).toEqual({ status: 200, body: '' });
    await closed(server);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['by a reset', (socket) => socket.once('data', () => socket.destroy())],
    ['in the middle of the body', (socket) => socket.end(`${HEAD}Content-Length: 100\r\n\r\nhunter2`)],
    ['by talking nonsense', (socket) => socket.end('hunter2\r\n\r\n')],
    ['by headers without end', (socket) => socket.write(`${HEAD}x: ${'hunter2'.repeat(10_000)}`)],
  ])('make it look well when it breaks off %s', async (_, talk) => {
    const server = await talking(talk);
    expect(await failureOf(ask(server))).toMatchObject({ reason: 'failed' });
    await closed(server);
  });
});

it('A port where nobody listens is said by its code', async () => {
  const { url } = await secure(() => undefined);
  await closing.pop()?.();
  expect(await failureOf(ask({ url }))).toMatchObject({ reason: 'failed', code: 'ECONNREFUSED' });
});
