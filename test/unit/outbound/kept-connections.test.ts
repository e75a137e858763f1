/** Connections that are kept for a server that is asked all the time. How requests fail is tested for those that are not kept. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import { describe, expect, it } from '@jest/globals';
import { keepConnections } from '../../../src/outbound/kept-connections.js';
import type { OutboundRequest } from '../../../src/outbound/send-request.js';
import { createServerCertificate } from '../../support/issuers/certificate.js';
import { serve } from '../../support/policy-engines/decision-point.js';
import { until } from '../../support/until.js';

const { authority, certificate: cert, key } = createServerCertificate();

async function site(listener: (request: IncomingMessage, response: ServerResponse) => unknown) {
  const { url, sockets } = await serve((request, response) => {
    request.resume();
    listener(request, response);
  }, https.createServer({ key, cert }));
  return { url: url.replace('http:', 'https:'), sockets };
}

const ask = (url: string, more: Partial<OutboundRequest> = {}): OutboundRequest => ({
  ...{ url, method: 'POST', headers: {}, body: Buffer.from('?') },
  ...{ ca: authority, totalMs: 60_000, bodyBytesMax: 1_000 },
  ...more,
});

describe('Kept connections', () => {
  it('carry one request after the other, and are no more than was said', async () => {
    const { url, sockets } = await site((_, response) => response.end('well'));
    const send = keepConnections(2);
    for (let n = 0; n < 5; n += 1) expect(await send(ask(url))).toMatchObject({ status: 200, body: 'well' });
    await Promise.all(Array.from({ length: 20 }, () => send(ask(url))));
    expect(sockets).toHaveLength(2);
  });

  it('that the server has closed meanwhile cost no answer', async () => {
    let answered = 0;
    const { url, sockets } = await site((_, response) => response.end(String((answered += 1))));
    const send = keepConnections(1);
    await send(ask(url));
    // The server closes just when the next request is on its way.
    sockets[0]?.once('data', () => undefined).destroy();
    expect(await send(ask(url))).toMatchObject({ body: '2' });
    expect(sockets).toHaveLength(2);
  });

  it('that break twice are a failure', async () => {
    let asked = 0;
    const { url } = await site((_, response) => {
      asked += 1;
      response.destroy();
    });
    await expect(keepConnections(1)(ask(url))).rejects.toMatchObject({ reason: 'failed' });
    expect(asked).toBe(2);
  });

  it('are not used any more once another CA is trusted', async () => {
    const { url } = await site((_, response) => response.end('well'));
    const send = keepConnections(1);
    await send(ask(url));
    const other = createServerCertificate().authority;
    await expect(send(ask(url, { ca: other }))).rejects.toMatchObject({ reason: 'failed' });
    await expect(send(ask(url, { ca: '' }))).rejects.toMatchObject({ reason: 'insecure' });
    expect(await send(ask(url))).toMatchObject({ status: 200 });
  });

  it('follow no redirect, and read no refusal', async () => {
    const paths: (string | undefined)[] = [];
    const { url } = await site(({ url: path }, response) => {
      paths.push(path);
      response.writeHead(307, { location: '/elsewhere' }).end('hunter2');
    });
    expect(await keepConnections(1)(ask(`${url}/here`))).toEqual({ status: 307, body: '' });
    expect(paths).toEqual(['/here']);
  });

  it('are given up with a request whose time is over', async () => {
    const { url, sockets } = await site(() => undefined);
    await expect(keepConnections(1)(ask(url, { totalMs: 100 }))).rejects.toMatchObject({ reason: 'timeout' });
    await until(() => sockets.every((socket) => socket.closed), 'the connection stays');
  });

  it('go nowhere in clear text over a network', async () => {
    await expect(keepConnections(1)(ask('http://192.0.2.1/'))).rejects.toMatchObject({ reason: 'insecure' });
  });
});
