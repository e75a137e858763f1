/** The files that a configuration names: relative to its own directory, and readable before anything starts. */
import { access, constants, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { defined } from '../domain/defined.js';
import type { ConfigPath, Finding } from './problem.js';
import type { Config } from './schema.js';
import type { KeySource, Trust } from './trust-schema.js';
import type { SoundParts } from './sound-parts.js';

/** Returns the same configuration, with absolute paths. */
export function resolveFiles<C extends Pick<Config, 'redis' | 'trust' | 'policy' | 'signals' | 'notify'>>(
  config: C,
  directory: string,
): C {
  const absolute = (file: string): string => resolve(directory, file);
  const policy = { ...config.policy, directory: absolute(config.policy.directory) };
  const transmitters = config.signals.transmitters.map((one) => ({ ...one, jwks: resolveKeys(one.jwks, absolute) }));
  const withCa = <T extends { ca?: string | undefined }>({ ca, ...one }: T) =>
    defined({ ...one, ca: ca === undefined ? undefined : absolute(ca) });
  return {
    ...config,
    redis: resolveRedis(config.redis, absolute),
    policy,
    trust: config.trust.map((trust) => resolveTrust(trust, absolute)),
    signals: { ...config.signals, transmitters },
    notify: config.notify.map(withCa),
  };
}

function resolveRedis(redis: Config['redis'], absolute: (file: string) => string): Config['redis'] {
  const { ca, seenDirectory, ...rest } = redis;
  return defined({
    ...rest,
    ca: ca === undefined ? undefined : absolute(ca),
    seenDirectory: seenDirectory === undefined ? undefined : absolute(seenDirectory),
  });
}

function resolveTrust(trust: Trust, absolute: (file: string) => string): Trust {
  if (trust.kind === 'spiffe') return { ...trust, bundle: { file: absolute(trust.bundle.file) } };
  const resolved = <T extends { jwks?: KeySource | undefined }>({ jwks, ...one }: T) =>
    defined({ ...one, jwks: jwks && resolveKeys(jwks, absolute) });
  return { ...resolved(trust), also: trust.also.map(resolved) };
}

function resolveKeys(keys: KeySource, absolute: (file: string) => string): KeySource {
  if ('file' in keys) return { file: absolute(keys.file) };
  return defined({
    url: keys.url,
    ca: keys.ca === undefined ? undefined : absolute(keys.ca),
    bearerFile: keys.bearerFile === undefined ? undefined : absolute(keys.bearerFile),
  });
}

export async function missingFiles(parts: SoundParts, directory: string): Promise<Finding[]> {
  const files = [
    ...(parts.redis?.ca === undefined ? [] : [[['redis', 'ca'], parts.redis.ca] satisfies Named]),
    ...parts.trust.flatMap((trust, index) => filesOf(trust, ['trust', index])),
    ...parts.transmitters.flatMap((one, index) => keyFiles(one?.jwks, ['signals', 'transmitters', index])),
    ...parts.notify.flatMap((one, index) =>
      one?.ca === undefined ? [] : [[['notify', index, 'ca'], one.ca] satisfies Named],
    ),
  ];
  const found = await Promise.all(
    files.map(async ([path, file]) => ((await isReadable(resolve(directory, file), 'file')) ? [] : [absent(path)])),
  );
  const policies = parts.policy?.directory;
  if (policies !== undefined && !(await isReadable(resolve(directory, policies), 'directory'))) {
    found.push([{ path: ['policy', 'directory'], reason: 'is not a directory that can be read' }]);
  }
  return found.flat();
}

const absent = (path: ConfigPath): Finding => ({ path, reason: 'is not a file that can be read' });

type Named = [ConfigPath, file: string];

function filesOf(trust: Trust | undefined, at: ConfigPath): Named[] {
  if (trust === undefined) return [];
  if (trust.kind === 'spiffe') return [[[...at, 'bundle', 'file'], trust.bundle.file]];
  return [
    ...keyFiles(trust.jwks, at),
    ...trust.also.flatMap(({ jwks }, index) => keyFiles(jwks, [...at, 'also', index])),
  ];
}

function keyFiles(keys: KeySource | undefined, at: ConfigPath): Named[] {
  if (keys === undefined) return [];
  const named = 'file' in keys ? { file: keys.file } : { ca: keys.ca, bearerFile: keys.bearerFile };
  return Object.entries(named).flatMap(([field, file]) =>
    file === undefined ? [] : [[[...at, 'jwks', field], file] satisfies Named],
  );
}

export async function isReadable(path: string, kind: 'file' | 'directory'): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    const found = await stat(path);
    return kind === 'file' ? found.isFile() : found.isDirectory();
  } catch {
    return false;
  }
}
