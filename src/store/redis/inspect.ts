/** What a Redis node reports of itself: whether it may hold a revocation log, and whether credentials may be minted on it. */
import type { Redis } from 'ioredis';
import { asked } from './script.js';

type Facts = ReadonlyMap<string, string>;

export async function factsOf(node: Redis): Promise<Facts> {
  const text = await asked(node.info());
  return new Map(
    text.split('\r\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

/**
 * Returns why the broker must not start on this node; undefined when it may. An evicted or lost tombstone revives what was
 * revoked.
 */
export function unusable(facts: Facts): string | undefined {
  const version = facts.get('redis_version') ?? '';
  if (parseInt(version, 10) < 7) return `Redis 7 or later is needed, this is ${version}`;
  if (evicts(facts)) return evictionProblem;
  if (isReplica(facts)) return 'this Redis is a replica: name the primary';
  return undefined;
}

export const isReplica = (facts: Facts): boolean => facts.get('role') !== 'master';

const evictionProblem = 'Redis may evict what it must keep: set maxmemory-policy to noeviction';

const evicts = (facts: Facts): boolean => facts.get('maxmemory_policy') !== 'noeviction';

/** Returns why nothing may be minted on this node now, each a sentence for an operator. */
export async function problemsOf(
  node: Redis,
  facts: Facts,
  { replicas, promotable }: { replicas: number; promotable: number },
): Promise<string[]> {
  const connected = Number(facts.get('connected_slaves') ?? 0);
  const problems: string[] = [];
  if (evicts(facts)) problems.push(evictionProblem);
  if (isReplica(facts)) problems.push('Redis is a replica: revocations cannot be written');
  if (connected < replicas) problems.push(`Redis has ${connected} replicas connected, ${replicas} are required`);
  // It would not be waited for as soon as it is away, and could then be promoted.
  if (promotable > 0 && connected > promotable)
    problems.push(
      `Redis has ${connected} replicas connected, and redis.replicas says that ${promotable} can be promoted`,
    );
  if (!(await persists(node, facts))) problems.push('Redis persists nothing: set appendonly yes, or save');
  if (facts.get('aof_last_write_status') === 'err')
    problems.push('Redis cannot write its append-only file: its disk may be full');
  if (facts.get('aof_enabled') !== '1' && facts.get('rdb_last_bgsave_status') === 'err')
    problems.push('Redis cannot save its data: its disk may be full');
  return problems;
}

/** @param kept for how many replicas the log says that it is kept; 0 for none */
export const keptProblems = (kept: number, replicas: number): string[] =>
  kept > replicas
    ? [`The revocation log is kept for ${kept} replicas, and redis.replicas is ${replicas}: docs/high-availability.md`]
    : [];

/** Returns what goes well until something fails, each a sentence for an operator. A managed Redis may hide its settings. */
export async function adviceOn(
  node: Redis,
  facts: Facts,
  { replicas, keeps }: { replicas: number; keeps: boolean },
): Promise<string[]> {
  const connected = Number(facts.get('connected_slaves') ?? 0);
  const fsync = await setting(node, 'appendfsync');
  const found: [boolean, string][] = [
    [
      facts.get('aof_enabled') !== '1',
      'without appendonly yes a crash of Redis loses the last revocations, and so all that lives',
    ],
    [
      facts.get('aof_enabled') === '1' && fsync !== undefined && fsync !== 'always',
      `with appendfsync ${fsync} a crash of Redis may lose the last revocations, and so all that lives`,
    ],
    // Redis tells this number only where the setting is in force. Where a failover keeps what lives, nothing that a primary
    // lacks is acknowledged while it answers.
    [
      !keeps && connected > 0 && !facts.has('min_slaves_good_slaves'),
      'a primary that was cut off from its replicas answers on: set min-replicas-to-write 1',
    ],
    [
      connected > replicas,
      `${connected} replicas are connected, and a revocation is acknowledged once ${replicas} have it: see redis.replicas`,
    ],
  ];
  return found.flatMap(([applies, sentence]) => (applies ? [sentence] : []));
}

export function usedFractionOf(facts: Facts): number {
  const limit = Number(facts.get('maxmemory')) || Number(facts.get('total_system_memory'));
  return limit > 0 ? Math.min(Number(facts.get('used_memory')) / limit, 1) : 0;
}

/** Returns whether an acknowledged write survives a restart, and this process has never followed another primary. */
export async function keepsEverything(node: Redis): Promise<boolean> {
  const facts = await factsOf(node);
  const neverFollowed = /^0+$/.test(facts.get('master_replid2') ?? '');
  if (facts.get('aof_enabled') !== '1' || facts.get('aof_last_write_status') !== 'ok' || !neverFollowed) return false;
  return (await setting(node, 'appendfsync')) === 'always';
}

async function persists(node: Redis, facts: Facts): Promise<boolean> {
  if (facts.get('aof_enabled') === '1') return true;
  // A managed Redis may hide its settings. Then the operator must check them.
  return (await setting(node, 'save')) !== '';
}

async function setting(node: Redis, name: string): Promise<string | undefined> {
  try {
    // The answer is a map under RESP3 and a list under RESP2.
    const answer = (await node.config('GET', name)) as Record<string, string> | string[];
    return Array.isArray(answer) ? answer[1] : answer[name];
  } catch {
    return undefined;
  }
}
