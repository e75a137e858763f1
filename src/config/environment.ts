/** Reads what only the environment may hold: the URL of Redis, users and passwords of Redis and Sentinels, and the key-encryption key. */
import { resolve } from 'node:path';
import { defined } from '../domain/defined.js';
import { isReadable } from './files.js';
import type { ConfigProblem } from './problem.js';
import { redisAt, type RedisLogin, type StoreLocation } from './store-location.js';

export type Environment = Readonly<Record<string, string | undefined>>;

interface FromEnvironment {
  redis?: StoreLocation;
  redisLogin?: RedisLogin;
  keyEncryptionKey: { value?: string; file?: string };
  problems: ConfigProblem[];
}

/** An empty variable counts as unset, because compose files and charts leave unset variables empty. */
export async function readEnvironment(env: Environment): Promise<FromEnvironment> {
  const found: FromEnvironment = { keyEncryptionKey: {}, problems: [] };
  const refuse = (path: string, reason: string) => found.problems.push({ source: 'environment', path, reason });

  const urls = env['REDIS_URL'];
  if (urls) {
    const redis = redisAt(urls.split(','));
    if (redis) found.redis = redis;
    else refuse('REDIS_URL', 'must be a redis:// or rediss:// URL; several, separated by commas, for a Cluster');
  }

  const login = loginIn(env);
  if (Object.keys(login).length > 0) found.redisLogin = login;

  const value = env['MAYFLY_KEY_ENCRYPTION_KEY'];
  const named = env['MAYFLY_KEY_ENCRYPTION_KEY_FILE'];
  if (value && named) refuse('MAYFLY_KEY_ENCRYPTION_KEY_FILE', 'and MAYFLY_KEY_ENCRYPTION_KEY are both set');
  if (value) found.keyEncryptionKey.value = value;
  if (named) {
    const file = resolve(named);
    if (!(await isReadable(file, 'file'))) refuse('MAYFLY_KEY_ENCRYPTION_KEY_FILE', 'is not a file that can be read');
    found.keyEncryptionKey.file = file;
  }
  return found;
}

const loginIn = (env: Environment): RedisLogin =>
  defined({
    username: env['REDIS_USERNAME'] || undefined,
    password: env['REDIS_PASSWORD'] || undefined,
    sentinelUsername: env['SENTINEL_USERNAME'] || undefined,
    sentinelPassword: env['SENTINEL_PASSWORD'] || undefined,
  });
