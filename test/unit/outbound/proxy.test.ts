/** The proxy of the environment, with a real proxy: which requests go through it, and what it can see and do. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createProxyFor, tunnelAgent } from '../../../src/outbound/proxy.js';
import { sendRequest, type OutboundRequest } from '../../../src/outbound/send-request.js';
import { startConnectProxy, type ConnectProxy } from '../../support/connect-proxy.js';
import { createServerCertificate } from '../../support/issuers/certificate.js';
import { until } from '../../support/until.js';

const KEYS = 'keys.example';
const { authority, certificate: cert, key } = createServerCertificate([KEYS]);
const server = https.createServer({ key, cert }, (request, response) => response.end(`hello ${request.headers.host}`));
let proxy: ConnectProxy;
let port: number;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
  proxy = await startConnectProxy({ [`${KEYS}:443`]: port, 'other.example:443': port });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const through = (url: string, more: Partial<OutboundRequest> = {}) =>
  sendRequest({
    ...{ url, method: 'GET', ca: authority, totalMs: 2_000, bodyBytesMax: 1_000 },
    headers: { authorization: 'Bearer hunter2' },
    proxyFor: createProxyFor({ url: proxy.url, except: '' }),
    ...more,
  });

describe('A request through a proxy', () => {
  it('reaches its server, and the proxy sees its name and nothing else', async () => {
    expect(await through(`https://${KEYS}/keys`)).toEqual({ status: 200, body: `hello ${KEYS}` });
    expect(proxy.asked).toEqual([`${KEYS}:443`]);
    expect(proxy.headers[0]).not.toHaveProperty('authorization');
    expect(proxy.passed()).not.toMatch(/hunter2|GET|\/keys/);
    await until(() => proxy.open() === 0, 'a connection is left');
  });

  it('goes with the login of the proxy, which the server does not see', async () => {
    const url = proxy.url.replace('://', '://me:p%40ss@');
    await through(`https://${KEYS}/keys`, { proxyFor: createProxyFor({ url, except: '' }) });
    const basic = Buffer.from('me:p@ss').toString('base64');
    expect(proxy.headers.at(-1)).toMatchObject({ 'proxy-authorization': `Basic ${basic}` });
    expect(proxy.passed()).not.toContain(basic);
  });

  it.each<[string, string, Partial<OutboundRequest>, object]>([
    ['has the certificate of another name', 'https://other.example/', {}, { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
    [
      'has a certificate of no authority that is known',
      `https://${KEYS}/`,
      { ca: createServerCertificate().authority },
      { reason: 'failed' },
    ],
    ['is not let through', 'https://unknown.example/', {}, { code: 'PROXY_REFUSED_403' }],
  ])('fails where the server %s, without any text of it', async (_, url, more, failure) => {
    const error: unknown = await through(url, more).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'OutboundError', reason: 'failed', ...failure });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/hunter2|example|no way/);
    await until(() => proxy.open() === 0, 'a connection is left');
  });

  it('fails where the proxy itself has a certificate of no authority that is known', async () => {
    const secure = createProxyFor({ url: `https://127.0.0.1:${port}`, except: '' });
    await expect(through(`https://${KEYS}/`, { proxyFor: secure })).rejects.toMatchObject({
      reason: 'failed',
      code: expect.stringMatching(/CERT|SIGNATURE/),
    });
  });

  it.each<[string, (socket: Socket) => unknown, object]>([
    ['does not answer', () => undefined, { reason: 'timeout' }],
    ['hangs up', (socket) => socket.end(), { code: 'PROXY_UND_ERR_SOCKET' }],
    ['talks nonsense', (socket) => socket.end('hunter2\r\n\r\n'), { code: 'PROXY_FAILED' }],
  ])('fails in time where the proxy %s, and is not repeated', async (_, behave, failure) => {
    const sockets: Socket[] = [];
    const odd = net.createServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
      socket.once('data', () => behave(socket));
    });
    await once(odd.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(odd.address() as AddressInfo).port}`;
    const asked = through(`https://${KEYS}/`, { totalMs: 300, proxyFor: createProxyFor({ url, except: '' }) });
    await expect(asked).rejects.toMatchObject(failure);
    expect(sockets).toHaveLength(1);
    await until(() => sockets.every(({ closed }) => closed), 'a connection is left');
    odd.close();
  });

  it('has its server judged by whoever asks, in place of its name', async () => {
    const asked: string[] = [];
    const judged = (verdict: Error | undefined) =>
      through('https://other.example/', {
        checkServer: (der) => {
          asked.push(new X509Certificate(der).subjectAltName ?? '');
          return verdict;
        },
      });
    await expect(judged(undefined)).resolves.toMatchObject({ status: 200 });
    await expect(judged(Object.assign(new Error('no'), { code: 'ANOTHER' }))).rejects.toMatchObject({
      code: 'ANOTHER',
    });
    expect(asked).toEqual(Array(2).fill(expect.stringContaining(`DNS:${KEYS}`)));
  });

  it('of a client on node:https goes the same way', async () => {
    const agent = tunnelAgent(new URL(proxy.url), 1_000);
    const ask = async (host: string) => {
      const [response] = (await once(https.get({ host, agent, ca: authority }), 'response')) as [IncomingMessage];
      return String(await response.toArray());
    };
    await expect(ask(KEYS)).resolves.toBe(`hello ${KEYS}`);
    await expect(ask('other.example')).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    await expect(ask('unknown.example')).rejects.toMatchObject({ code: 'PROXY_REFUSED_403' });
    agent.destroy();
  });
});

describe('NO_PROXY', () => {
  const goes = (except: string, url: string): boolean =>
    createProxyFor({ url: 'http://proxy.example:3128', except })(new URL(url)) !== undefined;

  it.each([
    ['', 'https://127.0.0.1/'],
    ['', 'https://localhost:8443/'],
    ['', 'http://[::1]:8080/'],
    ['*', 'https://keys.example/'],
    ['keys.example', 'https://keys.example/'],
    ['other.example, .Example', 'https://keys.example/'],
    ['*.example', 'https://keys.example/'],
    ['example', 'https://keys.example/'],
    ['keys.example:443', 'https://keys.example/'],
    ['10.1.2.3', 'https://10.1.2.3/'],
    ['10.0.0.0/8 svc', 'https://10.1.2.3/'],
    ['fd00::/8', 'https://[fd00::1]:443/'],
    ['fd00::1', 'https://[fd00::1]/'],
    ['[fd00::1]:443', 'https://[fd00::1]/'],
  ])('%j: straight to %s', (except, url) => expect(goes(except, url)).toBe(false));

  it.each([
    ['', 'https://keys.example/'],
    ['ample', 'https://keys.example/'],
    ['keys.example:8443', 'https://keys.example/'],
    ['s.example', 'https://keys.example/'],
    ['10.0.0.0/8', 'https://11.1.2.3/'],
    ['10.0.0.0/40', 'https://10.1.2.3/'],
    ['10.0.0.0/8', 'https://10.example/'],
    ['fd00::/8', 'https://[fe80::1]/'],
    ['127.0.0.1', 'https://127.0.0.1.example/'],
  ])('%j: through the proxy to %s', (except, url) => expect(goes(except, url)).toBe(true));
});
