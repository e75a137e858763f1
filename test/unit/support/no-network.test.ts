import { lookup } from 'node:dns/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { Agent, request } from 'undici';
import { sendRequest } from '../../../src/outbound/send-request.js';

const beyond = /do not reach beyond/;

describe('tests do not reach beyond this machine', () => {
  it.each([
    ['net by host', () => net.connect(443, 'broker.example')],
    ['net by options', () => net.connect({ port: 443, host: '192.0.2.1' })],
    ['tls', () => tls.connect({ port: 443, host: 'broker.example' })],
    ['http', () => http.get('http://192.0.2.1/')],
    ['an address that only starts like loopback', () => net.connect(80, '127.0.0.1.broker.example')],
  ])('%s throws', (_, attempt) => {
    expect(attempt).toThrow(beyond);
  });

  it('fetch and lookups refuse too', async () => {
    await expect(fetch('http://192.0.2.1/')).rejects.toHaveProperty('cause.message', expect.stringMatching(beyond));
    expect(() => lookup('broker.example')).toThrow(beyond);
  });
});

describe('undici, which brings a connector of its own, does not either', () => {
  it.each(['http://192.0.2.1/', 'https://192.0.2.1/', 'https://broker.example/'])('%s', async (url) => {
    for (const dispatcher of [undefined, new Agent()]) {
      await expect(request(url, dispatcher ? { dispatcher } : {})).rejects.toThrow(beyond);
      await dispatcher?.close();
    }
  });

  it('nor does the client of the broker', async () => {
    const asked = { url: 'https://broker.example/', method: 'GET' as const, headers: {}, bodyBytesMax: 0 };
    // Refused on the way out: a lookup or a connection that fails has a code.
    await expect(sendRequest({ ...asked, totalMs: 30_000 })).rejects.toMatchObject({
      reason: 'failed',
      code: undefined,
    });
  });
});

describe('this machine stays reachable', () => {
  it.each(['127.0.0.1', 'localhost', { path: join(tmpdir(), `no-network-${process.pid}.sock`) }])(
    '%j',
    async (where) => {
      const server = net.createServer((socket) => socket.end('here'));
      await new Promise<void>((resolve) =>
        server.listen(typeof where === 'string' ? { port: 0, host: where } : where, resolve),
      );
      const address = server.address();
      const socket = typeof address === 'string' ? net.connect(address) : net.connect(address!.port, where as string);
      const [heard] = (await socket.toArray()) as Buffer[];
      expect(String(heard)).toBe('here');
      await new Promise((resolve) => server.close(resolve));
    },
  );
});
