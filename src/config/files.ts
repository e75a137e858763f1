/** The files that a configuration names: relative to its own directory, readable before anything starts, and of the right kind. */
import { access, constants, readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { defined } from '../domain/defined.js';
import { bootstrapProblem } from './bundle.js';
import { bearerProblem, certificatesProblem, secretProblem } from './connection-files.js';
import { keyDocumentWarning, readKeyDocument, type KeyDocumentKind } from './key-document.js';
import type { ConfigPath, Finding } from './problem.js';
import type { Config } from './schema.js';
import type { IssuerKeys, SpiffeTrust, Trust } from './trust-schema.js';
import type { SoundParts } from './sound-parts.js';

/** Returns the same configuration, with absolute paths. */
export function resolveFiles<C extends Pick<Config, 'redis' | 'trust' | 'policy' | 'signals' | 'notify' | 'approvals'>>(
  config: C,
  directory: string,
): C {
  const absolute = (file: string): string => resolve(directory, file);
  const transmitters = config.signals.transmitters.map((one) => ({ ...one, jwks: withFiles(one.jwks, absolute) }));
  const withCa = <T extends { ca?: string | undefined }>({ ca, ...one }: T) =>
    defined({ ...one, ca: ca === undefined ? undefined : absolute(ca) });
  const withSecret = <T extends { clientSecretFile?: string | undefined }>({ clientSecretFile: name, ...one }: T) =>
    defined({ ...one, clientSecretFile: name === undefined ? undefined : absolute(name) });
  const { page } = config.approvals;
  return {
    ...config,
    redis: resolveRedis(config.redis, absolute),
    policy: resolvePolicy(config.policy, absolute),
    trust: config.trust.map((trust) => resolveTrust(trust, absolute)),
    signals: { ...config.signals, transmitters },
    notify: config.notify.map(withCa),
    approvals: defined({ ...config.approvals, page: page && withSecret(withCa(page)) }),
  };
}

function resolvePolicy(policy: Config['policy'], absolute: (file: string) => string): Config['policy'] {
  if (policy.engine !== 'cedar') return withFiles(policy, absolute);
  const { trial } = policy;
  return defined({
    ...policy,
    directory: absolute(policy.directory),
    trial: trial && { ...trial, directory: absolute(trial.directory) },
  });
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
  if (trust.kind === 'spiffe') return { ...trust, bundle: resolveBundle(trust.bundle, absolute) };
  const resolved = <T extends { jwks?: IssuerKeys | undefined }>({ jwks, ...one }: T) =>
    defined({ ...one, jwks: jwks && withFiles(jwks, absolute) });
  return { ...resolved(trust), also: trust.also.map(resolved) };
}

function resolveBundle(bundle: SpiffeTrust['bundle'], absolute: (file: string) => string): SpiffeTrust['bundle'] {
  if ('file' in bundle) return { file: absolute(bundle.file) };
  if (bundle.profile === 'https_spiffe') return { ...bundle, bootstrap: absolute(bundle.bootstrap) };
  return defined({ ...bundle, ca: bundle.ca === undefined ? undefined : absolute(bundle.ca) });
}

/** Of a place that the broker reads from, these are the names of files. */
const CONNECTION_FILES = ['file', 'ca', 'bearerFile'] as const;

function withFiles<P extends object>(place: P, absolute: (file: string) => string): P {
  const files: Partial<Record<(typeof CONNECTION_FILES)[number], string | undefined>> = place;
  const resolved = CONNECTION_FILES.flatMap((name) => {
    const file = files[name];
    return file === undefined ? [] : [[name, absolute(file)] as const];
  });
  return { ...place, ...Object.fromEntries(resolved) };
}

interface FileFindings {
  problems: Finding[];
  /** What is allowed and rarely meant. */
  warnings: Finding[];
}

/** Opens every named file. What is wrong with one would otherwise be found out by the first caller that needs it. */
export async function fileFindings(parts: SoundParts, directory: string): Promise<FileFindings> {
  const found: FileFindings = { problems: [], warnings: [] };
  const judge = async ({ path, file, problem, warning }: Named) => {
    const text = await textOf(resolve(directory, file));
    const reason = text === undefined ? 'is not a file that can be read' : problem(text);
    if (reason !== undefined) found.problems.push({ path, reason });
    const warned = text === undefined ? undefined : warning?.(text);
    if (warned !== undefined) found.warnings.push({ path, reason: warned });
  };
  await Promise.all(filesOf(parts).map(judge));
  for (const { path, name } of policyDirectories(parts.policy))
    if (!(await isReadable(resolve(directory, name), 'directory')))
      found.problems.push({ path, reason: 'is not a directory that can be read' });
  return found;
}

/** A file, where it is named, and what may be wrong with its text. */
interface Named {
  path: ConfigPath;
  file: string;
  problem: (text: string) => string | undefined;
  warning?: (text: string) => string | undefined;
}

const filesOf = (parts: SoundParts): Named[] => [
  ...certificates(parts.redis?.ca, ['redis', 'ca']),
  ...parts.trust.flatMap((trust, index) => filesOfTrust(trust, ['trust', index])),
  ...parts.transmitters.flatMap((one, index) => keyFiles(one?.jwks, ['signals', 'transmitters', index])),
  ...certificates(parts.page?.ca, ['approvals', 'page', 'ca']),
  ...secrets(parts.page?.clientSecretFile, ['approvals', 'page', 'clientSecretFile']),
  ...parts.notify.flatMap((one, index) => certificates(one?.ca, ['notify', index, 'ca'])),
  ...policyFiles(parts.policy),
];

function policyDirectories(policy: SoundParts['policy']): { path: ConfigPath; name: string }[] {
  if (policy?.engine !== 'cedar') return [];
  const { directory, trial } = policy;
  const tried = trial ? [{ path: ['policy', 'trial', 'directory'], name: trial.directory }] : [];
  return [{ path: ['policy', 'directory'], name: directory }, ...tried];
}

const policyFiles = (policy: SoundParts['policy']): Named[] =>
  policy === undefined || policy.engine === 'cedar'
    ? []
    : [...certificates(policy.ca, ['policy', 'ca']), ...bearer(policy.bearerFile, ['policy', 'bearerFile'])];

function filesOfTrust(trust: Trust | undefined, at: ConfigPath): Named[] {
  if (trust === undefined) return [];
  if (trust.kind === 'spiffe') return bundleFiles(trust.bundle, [...at, 'bundle']);
  return [
    ...keyFiles(trust.jwks, at),
    ...trust.also.flatMap(({ jwks }, index) => keyFiles(jwks, [...at, 'also', index])),
  ];
}

function bundleFiles(bundle: SpiffeTrust['bundle'], at: ConfigPath): Named[] {
  if ('file' in bundle) return [keyDocument(bundle.file, [...at, 'file'], 'spiffe-bundle')];
  if (bundle.profile === 'https_web') return certificates(bundle.ca, [...at, 'ca']);
  return [{ path: [...at, 'bootstrap'], file: bundle.bootstrap, problem: bootstrapProblem }];
}

function keyFiles(keys: IssuerKeys | undefined, at: ConfigPath): Named[] {
  if (keys === undefined) return [];
  if ('file' in keys) return [keyDocument(keys.file, [...at, 'jwks', 'file'], 'jwks')];
  const { ca } = keys;
  const bearerFile = 'url' in keys ? keys.bearerFile : undefined;
  return [...certificates(ca, [...at, 'jwks', 'ca']), ...bearer(bearerFile, [...at, 'jwks', 'bearerFile'])];
}

const keyDocument = (file: string, path: ConfigPath, kind: KeyDocumentKind): Named => ({
  path,
  file,
  problem: (text) => {
    const document = readKeyDocument(text, kind);
    return 'problem' in document ? document.problem : undefined;
  },
  warning: (text) => keyDocumentWarning(text, kind),
});

const certificates = (file: string | undefined, path: ConfigPath): Named[] =>
  file === undefined ? [] : [{ path, file, problem: certificatesProblem }];

const bearer = (file: string | undefined, path: ConfigPath): Named[] =>
  file === undefined ? [] : [{ path, file, problem: bearerProblem }];

const secrets = (file: string | undefined, path: ConfigPath): Named[] =>
  file === undefined ? [] : [{ path, file, problem: secretProblem }];

const textOf = async (path: string): Promise<string | undefined> =>
  (await isReadable(path, 'file')) ? readFile(path, 'utf8').catch(() => undefined) : undefined;

export async function isReadable(path: string, kind: 'file' | 'directory'): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    const found = await stat(path);
    return kind === 'file' ? found.isFile() : found.isDirectory();
  } catch {
    return false;
  }
}
