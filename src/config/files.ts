/** The files a configuration names: relative to its own directory, and there before anything is started. */
import { access, constants, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SoundParts } from './check.js';
import type { ConfigPath, Finding } from './problem.js';
import type { Config, KeySource, Trust } from './schema.js';

/** The same configuration with absolute paths. */
export function resolveFiles<C extends Pick<Config, 'trust' | 'policy'>>(config: C, directory: string): C {
  const absolute = (file: string): string => resolve(directory, file);
  const policy = { ...config.policy, directory: absolute(config.policy.directory) };
  return { ...config, policy, trust: config.trust.map((trust) => resolveTrust(trust, absolute)) };
}

function resolveTrust(trust: Trust, absolute: (file: string) => string): Trust {
  if (trust.kind === 'spiffe') return { ...trust, bundle: { file: absolute(trust.bundle.file) } };
  return trust.jwks ? { ...trust, jwks: resolveKeys(trust.jwks, absolute) } : trust;
}

function resolveKeys(keys: KeySource, absolute: (file: string) => string): KeySource {
  if ('file' in keys) return { file: absolute(keys.file) };
  return {
    url: keys.url,
    ...(keys.ca !== undefined && { ca: absolute(keys.ca) }),
    ...(keys.bearerFile !== undefined && { bearerFile: absolute(keys.bearerFile) }),
  };
}

export async function missingFiles(parts: SoundParts, directory: string): Promise<Finding[]> {
  const files = parts.trust.flatMap((trust, index) => filesOf(trust, ['trust', index]));
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

function filesOf(trust: Trust | undefined, at: ConfigPath): [ConfigPath, string][] {
  if (trust === undefined) return [];
  if (trust.kind === 'spiffe') return [[[...at, 'bundle', 'file'], trust.bundle.file]];
  const keys = trust.jwks;
  if (keys === undefined) return [];
  const named = 'file' in keys ? { file: keys.file } : { ca: keys.ca, bearerFile: keys.bearerFile };
  return Object.entries(named).flatMap(([field, file]) =>
    file === undefined ? [] : [[[...at, 'jwks', field], file] satisfies [ConfigPath, string]],
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
