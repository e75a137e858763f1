/** Where the bundle of a trust domain comes from: a file, or a bundle endpoint (SPIFFE Federation §5). */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readBundle, type Bundle } from '../config/bundle.js';
import type { SpiffeTrust } from '../config/trust-schema.js';
import { defined } from '../domain/defined.js';
import { trustDomainOf } from '../domain/spiffe-id.js';
import { DAY_MS, MINUTE_MS, toTimestamp, type Clock } from '../domain/time.js';
import { fetchText, keySource, URL_ELSEWHERE, type KeySource, type Surroundings } from './key-source.js';
import { svidProblem } from './x509-svid.js';

interface BundleSource extends KeySource {
  /** Returns what an operator should know about a reading that did not fail; undefined where all is well. */
  trouble(clock: Clock): Promise<Error | undefined>;
}

type Endpoint = Extract<SpiffeTrust['bundle'], { url: string }>;

export function bundleSource({ bundle, trustDomain }: SpiffeTrust, surroundings: Surroundings): BundleSource {
  return 'file' in bundle ? fileSource(bundle, surroundings) : endpointSource(bundle, trustDomain, surroundings);
}

/** Whoever writes the file may do so only when something changes. SPIRE adds a key twice a day, unless it is told otherwise. */
const UNCHANGED_AT_LEAST_MS = DAY_MS;
const UNCHANGED_HINTS = 10;

function fileSource(bundle: { file: string }, surroundings: Surroundings): BundleSource {
  return {
    ...keySource(bundle, surroundings),
    async trouble(clock) {
      const path = resolve(surroundings.baseDirectory, bundle.file);
      const [{ mtimeMs }, { refreshHintSeconds = 0 }] = await Promise.all([
        stat(path),
        readFile(path, 'utf8').then(soundBundle),
      ]);
      const allowedMs = Math.max(UNCHANGED_AT_LEAST_MS, UNCHANGED_HINTS * refreshHintSeconds * 1000);
      if (!clock.isTrusted() || clock.now() - mtimeMs <= allowedMs) return undefined;
      return new Error(`the file was last written at ${toTimestamp(mtimeMs)}: newer keys are unknown here`);
    },
  };
}

function soundBundle(text: string): Bundle {
  const bundle = readBundle(text);
  if ('problem' in bundle) throw new Error(`the bundle ${bundle.problem}`);
  return bundle;
}

const REFRESH = { least: 10_000, most: 30 * MINUTE_MS, unsaid: 5 * MINUTE_MS };

/** Returns how long a bundle is fresh. A hint of a second would be a flood, and one of a month would keep what was taken back. */
const freshForMs = ({ refreshHintSeconds }: Bundle): number =>
  refreshHintSeconds === undefined
    ? REFRESH.unsaid
    : Math.min(Math.max(refreshHintSeconds * 1000, REFRESH.least), REFRESH.most);

function endpointSource(endpoint: Endpoint, trustDomain: string, surroundings: Surroundings): BundleSource {
  const fileText = (file: string) => readFile(resolve(surroundings.baseDirectory, file), 'utf8');
  const isOwn = endpoint.profile === 'https_spiffe' && trustDomainOf(endpoint.id) === trustDomain;
  let latest: Bundle | undefined;
  let warning: Error | undefined;

  /** Returns how the server is verified: by an authority for all the world, or by that of its trust domain. */
  async function serverRules(bootstrap: Bundle | undefined) {
    if (endpoint.profile === 'https_web')
      return { ca: endpoint.ca === undefined ? undefined : await fileText(endpoint.ca) };
    // The endpoint's own trust domain is known by its latest bundle: authorities that it has given up vouch for nothing.
    const { authorities = [] } = (isOwn ? latest : undefined) ?? bootstrap ?? {};
    if (authorities.length === 0)
      throw new Error('no X.509 authority is known that could vouch for the bundle endpoint');
    return { ca: authorities.join('\n'), checkServer: (der: Uint8Array) => svidProblem(der, endpoint.id) };
  }

  async function read(): Promise<string> {
    const bootstrap = endpoint.profile === 'https_spiffe' ? soundBundle(await fileText(endpoint.bootstrap)) : undefined;
    const text = await fetchText(
      endpoint.url,
      defined({ ...(await serverRules(bootstrap)), proxyFor: surroundings.proxyFor }),
    );
    const next = soundBundle(text);
    const before = latest ?? (isOwn ? bootstrap : undefined);
    // An old bundle has keys that were taken back since. One without a number would hide how old it is.
    if ((next.sequence ?? -1) < (before?.sequence ?? -1)) {
      throw new Error(
        `the endpoint serves bundle ${next.sequence ?? 'without a number'}, older than ${before?.sequence}`,
      );
    }
    latest = next;
    const isKept = !isOwn || bootstrap?.authorities.some((one) => next.authorities.includes(one));
    warning = isKept ? undefined : new Error(OUTDATED);
    return text;
  }

  return {
    ...URL_ELSEWHERE,
    get freshForMs() {
      return latest ? freshForMs(latest) : REFRESH.unsaid;
    },
    read,
    trouble: () => Promise.resolve(warning),
  };
}

const OUTDATED =
  'no authority in `bootstrap` is in use any more: write the bundle of now there, or the next start cannot verify the endpoint';
