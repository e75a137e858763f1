/** The rights that the documentation gives to a broker on Redis are enough, and none of them is too much. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { openRedis } from '../../src/store/redis/index.js';
import { rehearse } from '../../src/store/redis/rehearse.js';
import { handClock } from '../support/clock.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { storeContract } from './store-contract.js';

const PASSWORD = 'p';
const [, documented = ''] = /^user mayfly on >… (.+)$/m.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
const rights = documented.split(' ');
/** Needed for `redis.replicas`, and to see settings that some providers hide. */
const DISPENSABLE = ['+wait', '+config|get'];

let server: RedisServer;
const allow = async (given: readonly string[]) =>
  server.send('ACL', 'SETUSER', 'mayfly', 'reset', 'on', `>${PASSWORD}`, ...given);
const options = () => ({
  place: { url: server.url },
  access: { username: 'mayfly', password: PASSWORD },
  replicas: 0,
  onFailover: 'replace' as const,
  clock: handClock(),
});

beforeAll(async () => {
  server = await startRedis();
  await allow(rights);
});

storeContract('Redis with the rights of the documentation', async () => {
  const asBroker = { ...options(), prefix: `mayfly:${randomUUID()}:` };
  return {
    clock: asBroker.clock,
    store: await openRedis({ ...asBroker, onRestart: 'replace', skewMs: 5_000 }),
  };
});

describe('the rights of the documentation', () => {
  const rehearsed = () => rehearse({ ...options(), prefix: 'mayfly:' });

  it('let a broker do all that it does, and the rehearsal leaves nothing behind', async () => {
    expect((await rehearsed()).failures).toEqual([]);
    expect(await server.send('KEYS', '*doctor*')).toEqual([]);
  });

  it.each(rights.filter((right) => right.startsWith('+') && !DISPENSABLE.includes(right)))(
    'without %s something fails, and is named',
    async (right) => {
      await allow(rights.filter((one) => one !== right));
      await server.send('SCRIPT', 'FLUSH');
      const failures = await rehearsed().then((found) => found.failures, (error: unknown) => [String(error)]); // prettier-ignore
      expect(failures.join()).toMatch(
        new RegExp(`may not run (?:a command of a script|${right.slice(1).replace('|', '\\|')}\\b)`),
      );
    },
  );

  it('do not reach the keys of others', async () => {
    await allow(rights);
    expect((await rehearse({ ...options(), prefix: 'other:' })).failures).not.toEqual([]);
  });
});
