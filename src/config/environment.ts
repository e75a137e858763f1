/** Reads what only the environment may hold: the URL of Redis, users and passwords of Redis and Sentinels, and the key-encryption key. */
import { resolve } from 'node:path';
import { defined } from '../domain/defined.js';
import { isReadable } from './files.js';
import type { ConfigProblem } from './problem.js';
import { sentinelsInstead } from './values.js';
import { redisAt, type RedisLogin, type StoreLocation } from './store-location.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy that requests of the broker go through. */
export interface ProxySettings {
  /** Of the proxy itself: http or https, perhaps with user and password. */
  url: string;
  /** `NO_PROXY` as it is written. */
  except: string;
}

interface FromEnvironment {
  redis?: StoreLocation;
  redisLogin?: RedisLogin;
  keyEncryptionKey: { value?: string; file?: string };
  proxy?: ProxySettings;
  problems: ConfigProblem[];
}

const NO_REDIS = 'must be a redis:// or rediss:// URL; several, separated by commas, for a Cluster';

/** An empty variable counts as unset, because compose files and charts leave unset variables empty. */
export async function readEnvironment(env: Environment): Promise<FromEnvironment> {
  const found: FromEnvironment = { keyEncryptionKey: {}, problems: [] };
  const refuse = (path: string, reason: string) => found.problems.push({ source: 'environment', path, reason });

  const urls = env['REDIS_URL'];
  if (urls) {
    const redis = redisAt(urls.split(','));
    if (redis) found.redis = redis;
    else refuse('REDIS_URL', sentinelsInstead(urls) ?? NO_REDIS);
  }

  const login = loginIn(env);
  if (Object.keys(login).length > 0) found.redisLogin = login;

  // Nothing is sent in clear text over a network, so there is nothing that HTTP_PROXY would be for.
  const proxy = env['https_proxy'] || env['HTTPS_PROXY'];
  if (proxy) {
    if (isProxyUrl(proxy)) found.proxy = { url: proxy, except: env['no_proxy'] || env['NO_PROXY'] || '' };
    else
      refuse(
        'HTTPS_PROXY',
        'must be the http:// or https:// URL of a proxy, without a path; in a password, % is written %25',
      );
  }

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

function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash, username, password } = new URL(text);
  // A percent sign that is written plainly in a password.
  if ([username, password].some((part) => /%(?![\da-f]{2})/i.test(part))) return false;
  return (protocol === 'http:' || protocol === 'https:') && pathname === '/' && search === '' && hash === '';
}

const loginIn = (env: Environment): RedisLogin =>
  defined({
    username: env['REDIS_USERNAME'] || undefined,
    password: env['REDIS_PASSWORD'] || undefined,
    sentinelUsername: env['SENTINEL_USERNAME'] || undefined,
    sentinelPassword: env['SENTINEL_PASSWORD'] || undefined,
  });
