/**
 * Two brokers behind an nginx with its defaults are restarted one after the other, and no request is lost, but for one that arrives
 * in the very instant in which a listener closes. nginx is a real one; where none is installed this test says so and is left out.
 */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { calls, type Calls } from '../support/calls.js';
import { temporaryDirectory } from '../support/directory.js';
import { freePort } from '../../scripts/free-port.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const hasNginx = spawnSync('nginx', ['-v']).status === 0;
if (!hasNginx)
  console.warn('Left out, because nginx is not installed: a rolling restart behind nginx loses no request.');

const KEY = { MAYFLY_KEY_ENCRYPTION_KEY: 'ab'.repeat(32) };
const ended: (() => void)[] = [];
afterAll(() => ended.forEach((end) => end()));

/** Every setting that is not needed to run it here has its default. */
async function startNginx(...brokers: BrokerProcess[]): Promise<Calls> {
  const [directory, port] = [temporaryDirectory(), await freePort()];
  const servers = brokers.map(({ url }) => `server ${new URL(url).host};`).join(' ');
  const settings = `
    daemon off; pid nginx.pid; error_log error.log; events {}
    http {
      access_log off;
      client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
      upstream mayfly { ${servers} }
      server { listen 127.0.0.1:${port}; location / { proxy_pass http://mayfly; } }
    }`;
  writeFileSync(join(directory, 'nginx.conf'), settings);
  const child = spawn('nginx', ['-p', directory, '-c', 'nginx.conf', '-e', 'error.log'], { stdio: 'ignore' });
  ended.push(() => child.kill('SIGTERM'));
  const nginx = calls(`http://127.0.0.1:${port}`);
  const answers = () =>
    nginx
      .get('/jwks')
      .then(({ status }) => status === 200)
      .catch(() => false);
  await until(answers, 'nginx does not answer');
  return nginx;
}

(hasNginx ? it : it.skip)(
  'two brokers are restarted one after the other behind nginx with its defaults, and no request is lost',
  async () => {
    const { url: store } = await startRedis();
    const one = await startProcess({ config: { store, drainSeconds: 2 }, env: KEY });
    // nginx leaves out a server for ten seconds (`fail_timeout`) after it refused a connection, as the first one just did.
    // The second must answer for longer than that, as it does by default.
    const two = await startProcess({ config: { store, drainSeconds: 15 }, env: KEY, like: one });
    const nginx = await startNginx(one, two);
    const identity = await one.identity('agent-7');

    let over = false;
    const answered = new Map<string, number>();
    const asking = Array.from({ length: 4 }, async () => {
      while (!over) {
        const { status, text } = await nginx.exchange(identity);
        const isLate = /The store did not answer|clock is wrong or unknown/.test(text);
        const answer = status === 200 ? '200' : isLate ? 'late' : `${status} ${text}`;
        answered.set(answer, (answered.get(answer) ?? 0) + 1);
      }
    });
    for (const broker of [one, two]) {
      broker.signal('SIGTERM');
      expect(await broker.ended()).toBe(0);
      await broker.start();
    }
    over = true;
    await Promise.all(asking);
    const { 200: granted = 0, late = 0, ...others } = Object.fromEntries(answered);
    // On a quiet machine there are thousands.
    expect(granted).toBeGreaterThan(100);
    // On a busy machine Redis may be late, restart or not. A broker that let go of it under a request would log `no connection`.
    const logged = one.output() + two.output();
    expect(logged.includes('no answer in time') ? 0 : late).toBe(0);
    expect(logged).not.toContain('no connection');
    // A connection that arrives in the very instant in which a listener closes is reset by the kernel: one at each restart, at most.
    const resets = Object.entries(others).filter(([answer]) => answer.startsWith('502 '));
    expect(Object.keys(others)).toEqual(resets.map(([answer]) => answer));
    expect(resets.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(2);
  },
);
