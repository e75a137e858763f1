/** Loads the configuration file and the environment, and validates both as a whole. Only this file reads process.env. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { trustWarnings } from './check-trust.js';
import { fitFindings } from './check.js';
import { readDocument } from './document.js';
import { readEnvironment, type Environment, type ProxySettings } from './environment.js';
import { fileFindings, resolveFiles } from './files.js';
import { ConfigError, pathText, type ConfigProblem, type Finding } from './problem.js';
import { configSchema, type Config } from './schema.js';
import { soundParts } from './sound-parts.js';
import { storeAt, type StoreLocation } from './store-location.js';
import { schemaFindings } from './validate.js';
import { unreadFindings } from './unread.js';

export interface KeyEncryptionKeySource {
  /** base64url, base64 or hex. */
  value?: string | undefined;
  /**
   * A file with such a value. Its permission to write is checked, but not to read: every user in a container can often read a
   * mounted secret.
   */
  file?: string | undefined;
  /** A file that is created, readable by its owner only, when neither of the others is given. */
  defaultFile: string;
}

export interface LoadedConfig {
  /** The configuration of the file, with absolute paths. `store` below replaces its setting of that name. */
  config: Omit<Config, 'store'>;
  store: StoreLocation;
  keyEncryptionKey: KeyEncryptionKeySource;
  /** Absent: requests go straight to their servers. */
  proxy?: ProxySettings;
  /** What is allowed and rarely meant, each with its place. */
  warnings: readonly ConfigProblem[];
  /** The file, and the directory that relative paths start from; both absolute. */
  path: string;
  directory: string;
}

export interface LoadOptions {
  env?: Environment;
  /** The configuration file; default: MAYFLY_CONFIG. */
  path?: string;
  /** False: the files that it names may be missing here, as in a configuration for another machine. */
  checkFiles?: boolean;
}

const NOT_NAMED = 'give it as -c <file> (check-config and doctor: as an argument), or set MAYFLY_CONFIG.';

/** Returns a configuration that a broker can start with, or throws a ConfigError with everything that is wrong. */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  const env = options.env ?? process.env;
  const given = options.path ?? env['MAYFLY_CONFIG'];
  if (!given) throw failure('No configuration', '', NOT_NAMED);
  const path = resolve(given);
  const directory = dirname(path);
  const text = await readFile(path, 'utf8').catch(() => {
    throw failure(given, '', 'is not a file that can be read');
  });

  const { value, problems, warnings } = await validate(text, given, directory, options.checkFiles ?? true);
  const environment = await readEnvironment(env);
  problems.push(...environment.problems);
  if (problems.length > 0) throw new ConfigError(problems);

  const { store: written, ...config } = resolveFiles(configSchema.parse(value), directory);
  const { redis, redisLogin, keyEncryptionKey, proxy } = environment;
  const named = storeAt(written, directory);
  const store = redis ?? named;
  const data = named.kind === 'lmdb' ? named.directory : resolve(directory, 'data');
  return {
    config,
    store: store.kind === 'lmdb' || !redisLogin ? store : { ...store, login: redisLogin },
    keyEncryptionKey: { ...keyEncryptionKey, defaultFile: resolve(data, 'key-encryption.key') },
    ...(proxy && { proxy }),
    warnings,
    path,
    directory,
  };
}

async function validate(text: string, source: string, directory: string, checkFiles: boolean) {
  const document = readDocument(text);
  const problems: ConfigProblem[] = document.problems.map((problem) => ({ source, path: '', ...problem }));
  // The file could not be parsed: the problems found so far say where.
  if (document.value === undefined) return { value: undefined, problems, warnings: [] };
  const parts = soundParts(document.value);
  const files = checkFiles ? await fileFindings(parts, directory) : { problems: [], warnings: [] };
  const unread = unreadFindings(document.value);
  const said = new Set(unread.map(({ path }) => pathText(path)));
  const others = [...schemaFindings(configSchema, document.value), ...fitFindings(parts), ...files.problems];
  // What else is wrong with the same value is no news.
  const findings = [...unread, ...others.filter(({ path }) => !said.has(pathText(path)))];
  const placed = ({ path, reason }: Finding): ConfigProblem => ({
    source,
    line: document.lineOf(path),
    path: pathText(path),
    reason,
  });
  problems.push(...findings.map(placed));
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return { value: document.value, problems, warnings: [...trustWarnings(parts), ...files.warnings].map(placed) };
}

const failure = (source: string, path: string, reason: string): ConfigError =>
  new ConfigError([{ source, path, reason }]);
