/**
 * Tries on Redis everything that a broker does there, in keys of its own that are removed afterwards, and looks for settings
 * that go well until something fails. It touches nothing that a broker reads.
 */
import { randomUUID } from 'node:crypto';
import { DOCTOR } from '../../domain/reserved.js';
import { cause } from '../../domain/selector.js';
import type { Publication } from '../../domain/tombstone.js';
import { connect, nodesOf, type Client } from './client.js';
import type { RedisStoreOptions } from './index.js';
import { adviceOn, factsOf } from './inspect.js';
import { keysUnder, type Keys } from './keys.js';
import { redisLog } from './log.js';
import { redisRecords } from './records.js';
import { replicatedBy } from './replicas.js';
import { asked } from './script.js';

interface Rehearsal {
  /** What a broker does and this user of Redis cannot, each a sentence. */
  failures: string[];
  /** What will cost something when Redis fails, each a sentence. */
  advice: string[];
}

const KEPT_MS = 60_000;

/** Rejects when Redis cannot be reached. */
export async function rehearse(options: Omit<RedisStoreOptions, 'onRestart' | 'skewMs'>): Promise<Rehearsal> {
  const { place, access = {}, prefix, replicas } = options;
  const keeps = options.onFailover === 'keep';
  const { client } = await connect(place, access, 'patient');
  const keys = keysUnder(`${prefix}doctor:${randomUUID()}:`);
  const id = randomUUID();
  try {
    const failures = [];
    for (const [what, attempt] of attemptsAt(client, keys, id, options)) {
      const why = await attempt().then(() => undefined, reasonOf);
      if (why !== undefined) failures.push(`a broker must be able to ${what}: ${why}`);
    }
    const advice = await Promise.all(
      nodesOf(client).map(async (node) => adviceOn(node, await factsOf(node), { replicas, keeps }).catch(() => [])),
    );
    return { failures, advice: [...new Set(advice.flat())] };
  } finally {
    const left = [
      [keys.head, keys.tombstones, keys.entries, keys.published(id)],
      (['aa/try', 'aa/stays', 'aa/index'] as const).map((name) => keys.record(name)),
    ];
    await Promise.all(left.map((names) => client.del(...names).catch(() => undefined)));
    client.disconnect();
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : 'it failed');

/** Returns each thing that a broker does, in an order in which the next one finds what it needs. */
function attemptsAt(
  client: Client,
  keys: Keys,
  id: string,
  { clock, replicas }: Pick<RedisStoreOptions, 'clock' | 'replicas'>,
): [what: string, attempt: () => Promise<unknown>][] {
  const replicated = replicatedBy({ replicas, patient: client });
  const records = redisRecords(client, keys, clock, replicated);
  const restartedWhole = () => Promise.resolve(false);
  const log = redisLog(client, keys, { waiting: client, replicated, restartedWhole, promotable: 0, clock, skewMs: 0 });
  const at = clock.reading();
  const selector = { kind: 'task', value: 'none' } as const;
  const tried: Publication = {
    ...{ id, cause: cause(selector.kind, selector.value), selector, effect: 'end', outcome: 'revoked' },
    ...{ at, until: at, reason: 'tried by mayfly doctor', actor: DOCTOR },
  };
  const put = () => records.commit({ put: [['aa/try', 'x', at + KEPT_MS], ['aa/stays', 'x', at + KEPT_MS]], index: [['aa/index', 'm', 1]] }); // prettier-ignore
  return [
    ['write records and indexes', put],
    ['write again for good', () => records.commit({ put: [['aa/try', 'y']] })],
    ['read records', () => records.read(['aa/try'])],
    ['read indexes', () => records.range('aa/index', { after: [0, ''], limit: 1 })],
    ['count what is in indexes', () => records.count('aa/index')],
    ['remove records', () => records.commit({ expect: [['aa/try', 'y']], remove: ['aa/try', 'aa/stays'], unindex: [['aa/index', 'm']] })], // prettier-ignore
    ['install a generation', () => log.replace(undefined, 'doctor')],
    ['publish a revocation', () => log.publish(tried)],
    ['publish it again', () => log.publish(tried)],
    ['look at the revocation log', () => log.look([tried.cause])],
    ['list its entries', () => log.entries(0, 1)],
    ['wait for its entries', () => log.awaitEntry(0)],
    ['list its tombstones', () => log.snapshot()],
    ['forget a tombstone', () => forgetAll(log)],
    ['ask for the time', () => Promise.all(nodesOf(client).map((node) => asked(node.time())))],
  ];
}

async function forgetAll(log: ReturnType<typeof redisLog>): Promise<void> {
  await log.forget((await log.snapshot()).tombstones);
}
