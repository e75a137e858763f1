/** The configuration file and the environment, read once, judged whole. The only reader of process.env. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fitFindings } from './check.js';
import { readDocument } from './document.js';
import { readEnvironment, type Environment } from './environment.js';
import { missingFiles, resolveFiles } from './files.js';
import { ConfigError, pathText, type ConfigProblem } from './problem.js';
import { configSchema, type Config } from './schema.js';
import { soundParts } from './sound-parts.js';
import { storeAt, type StoreLocation } from './store-location.js';
import { schemaFindings } from './validate.js';

export interface KeyEncryptionKeySource {
  /** base64url, base64 or hex. */
  value?: string | undefined;
  /** A file with such a value. Mounted secrets are often readable by all of a container, so only its writability is checked. */
  file?: string | undefined;
  /** Created, for its owner alone, when neither of the others is given and it does not exist. */
  defaultFile: string;
}

export interface LoadedConfig {
  /** As the file says, with absolute paths. Where the store is, is said below, once. */
  config: Omit<Config, 'store'>;
  store: StoreLocation;
  keyEncryptionKey: KeyEncryptionKeySource;
  /** The file, and the directory its relative paths start from; both absolute. */
  path: string;
  directory: string;
}

export interface LoadOptions {
  env?: Environment;
  /** Comes before MAYFLY_CONFIG. */
  path?: string;
  /** False: the files it names may be missing here (a configuration for another machine). */
  checkFiles?: boolean;
}

const NOT_NAMED = 'give it as -c <file> (check-config: as its argument), or set MAYFLY_CONFIG.';

/** Throws a ConfigError with everything that is wrong, or answers something that can be started. */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  const env = options.env ?? process.env;
  const named = options.path ?? env['MAYFLY_CONFIG'];
  if (!named) throw failure('No configuration', '', NOT_NAMED);
  const path = resolve(named);
  const directory = dirname(path);
  const text = await readFile(path, 'utf8').catch(() => {
    throw failure(named, '', 'is not a file that can be read');
  });

  const { value, problems } = await judge(text, named, directory, options.checkFiles ?? true);
  const environment = await readEnvironment(env);
  problems.push(...environment.problems);
  if (problems.length > 0) throw new ConfigError(problems);

  const { store: written, ...config } = resolveFiles(configSchema.parse(value), directory);
  const { redis, keyEncryptionKey } = environment;
  const store = storeAt(written, directory);
  const data = store.kind === 'lmdb' ? store.directory : resolve(directory, 'data');
  return {
    config,
    store: redis ?? store,
    keyEncryptionKey: { ...keyEncryptionKey, defaultFile: resolve(data, 'key-encryption.key') },
    path,
    directory,
  };
}

async function judge(text: string, source: string, directory: string, checkFiles: boolean) {
  const document = readDocument(text);
  const problems: ConfigProblem[] = document.problems.map((problem) => ({ source, path: '', ...problem }));
  // Undefined: not even readable; the problems above say where.
  if (document.value === undefined) return { value: undefined, problems };
  const parts = soundParts(document.value);
  const findings = [
    ...schemaFindings(configSchema, document.value),
    ...fitFindings(parts),
    ...(checkFiles ? await missingFiles(parts, directory) : []),
  ];
  for (const { path, reason } of findings) {
    problems.push({ source, line: document.lineOf(path), path: pathText(path), reason });
  }
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return { value: document.value, problems };
}

const failure = (source: string, path: string, reason: string): ConfigError =>
  new ConfigError([{ source, path, reason }]);
