/** How a verifier gathers what was used, against a real server: bounded in memory, and silent where it is not taken. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { USE_COUNT_MOST, USES_MOST } from '../../../src/protocol/usage.js';
import { createUsageReporter } from '../../../src/verifier/usage.js';
import { until } from '../../support/until.js';

interface Use {
  credential: string;
  resource?: string;
  permitted: boolean;
  count: number;
}

let server: Server;
let received: { target: string; uses: Use[] }[];
let untold: { uses: number; why: string }[];
let status: number;

beforeEach(async () => {
  [received, untold, status] = [[], [], 200];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push(JSON.parse(body) as (typeof received)[number]);
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(status === 200 ? { taken: 1 } : { code: 'access_denied', retry: 'never' }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => void server.close());

function reporter() {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connection = { url, identity: () => 'token', fetch, timeoutMs: 5_000 };
  return createUsageReporter(connection, 'https://a.example', (one) => untold.push(one));
}
const claims = (jti: string) => ({ jti });
const read = (resource: string) => ({ resource, action: 'read' });
const uses = () => received.flatMap((report) => report.uses);
const sum = () => uses().reduce((all, { count }) => all + count, 0);

describe('a verifier that reports', () => {
  it('sends what was counted in reports that the broker takes, whatever was asked of it', async () => {
    const usage = reporter();
    for (let i = 0; i < 5_000; i += 1) usage.note(claims('crd_a'), read(`incident/${i}`), true);
    usage.note(claims('crd_a'), read('x'.repeat(100_000)), false);
    usage.close();
    await until(() => sum() === 5_001, 'not all is sent');
    expect(Math.max(...received.map((report) => report.uses.length))).toBe(USES_MOST);
    expect(uses().filter(({ resource }) => resource === undefined)).toEqual([
      { credential: 'crd_a', permitted: true, count: 4_000 },
      { credential: 'crd_a', permitted: false, count: 1 },
    ]);
  });

  it('holds a bounded number of uses, however many credentials are used', async () => {
    const usage = reporter();
    for (let i = 0; i < 10_000; i += 1) usage.note(claims(`crd_${i}`), read('incident/1'), true);
    usage.close();
    await until(() => sum() === 2_000, 'other than 2,000 uses are sent');
  });

  it('counts no further than one use may say', async () => {
    const usage = reporter();
    for (let i = 0; i < USE_COUNT_MOST + 5; i += 1) usage.note(claims('crd_a'), read('incident/1'), true);
    usage.close();
    await until(() => received.length > 0, 'nothing is sent');
    expect(uses()).toEqual([expect.objectContaining({ count: USE_COUNT_MOST })]);
  });

  it('that is refused gathers nothing more for a while, and says why', async () => {
    status = 403;
    const usage = reporter();
    for (let i = 0; i < 300; i += 1) usage.note(claims('crd_a'), read(`incident/${i}`), true);
    usage.close();
    await until(() => untold.length > 0, 'nobody is told');
    expect(untold).toEqual([{ uses: 300, why: 'access_denied' }]);
    usage.note(claims('crd_a'), read('incident/1'), true);
    usage.close();
    // Were there a report, it would come before these.
    for (const name of ['crd_b', 'crd_c']) {
      const other = reporter();
      other.note(claims(name), read('incident/1'), true);
      other.close();
      await until(() => uses().some(({ credential }) => credential === name), 'the other report does not come');
    }
    expect(received).toHaveLength(3);
  });
});
