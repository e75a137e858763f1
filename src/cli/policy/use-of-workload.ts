/** What a workload was granted and what it used of it, as the audit log has it: what a suggestion stands on. */
import { isGranted, type CredentialUsage, type Use } from '../../audit/usage.js';
import { pairsOf } from '../../domain/access.js';
import { toTimestamp } from '../../domain/time.js';
import type { UsedAccess } from '../../policy/cedar/suggest.js';

export interface UseOfWorkload {
  accesses: UsedAccess[];
  /** Access that was granted, as `<target> <path>:<action>`, and of which no use is known though other uses of the target are. */
  unused: string[];
  /** Targets where no use of any credential is known. */
  silent: string[];
  /** What was let pass and not granted. */
  beyondGrant: string[];
  /** Permitted uses. */
  uses: number;
  /** Those of them of which the resource, or the grant, is not known. */
  unclear: number;
  credentials: number;
  /** Days (UTC) on which the latest uses of credentials were. */
  days: number;
  reporters: string[];
  /** The ids of the policies by which the credentials were granted. */
  policies: string[];
}

export function useOf(credentials: readonly CredentialUsage[]): UseOfWorkload {
  const accesses = new Map<string, Collected>();
  const permitted = credentials.flatMap(({ uses }) => uses.filter((use) => use.permitted > 0));
  for (const credential of credentials) collect(accesses, credential);
  const known = [...accesses.values()];
  const heard = new Set(credentials.filter(({ uses }) => uses.some(isKnown)).map(({ target }) => target));
  const beyond = credentials.flatMap(({ target, grant, uses }) =>
    uses.filter((use) => isKnown(use) && grant && !isGranted(grant.access, use)).map((use) => nameOf(target, use)),
  );
  const unclear = credentials.flatMap(({ grant, uses }) => uses.filter((use) => !grant || !isKnown(use)));
  return {
    accesses: known.flatMap((one) => accessOf(one) ?? []),
    unused: known
      .filter(({ target }) => heard.has(target))
      .flatMap(({ target, action, byPattern }) => unusedIn(byPattern).map((path) => nameOf(target, { path, action }))),
    silent: [...new Set(credentials.map(({ target }) => target))].filter((target) => !heard.has(target)),
    beyondGrant: [...new Set(beyond)],
    uses: timesOf(permitted),
    unclear: timesOf(unclear),
    credentials: credentials.length,
    days: new Set(permitted.map(({ lastAt }) => toTimestamp(lastAt).slice(0, 10))).size,
    reporters: [...new Set(permitted.flatMap(({ reportedBy }) => reportedBy ?? []))],
    policies: [...new Set(credentials.flatMap(({ grant }) => grant?.policies ?? []))],
  };
}

/** What was granted of one action at one target: by each path or pattern, the paths that were used under it. */
interface Collected {
  target: string;
  action: string;
  byPattern: Map<string, Set<string>>;
  lifetimeSeconds: number;
}

const timesOf = (uses: readonly Use[]): number => uses.reduce((sum, { permitted }) => sum + permitted, 0);

const isKnown = ({ path, permitted }: Use): boolean => path !== undefined && permitted > 0;

function collect(accesses: Map<string, Collected>, { target, grant, uses }: CredentialUsage): void {
  for (const { path: pattern, action } of pairsOf(grant?.access ?? [])) {
    const key = JSON.stringify([target, action]);
    const one = accesses.get(key) ?? { target, action, byPattern: new Map<string, Set<string>>(), lifetimeSeconds: 0 };
    accesses.set(key, one);
    const paths = one.byPattern.get(pattern) ?? new Set();
    one.byPattern.set(pattern, paths);
    for (const use of uses) {
      if (!grant || !isKnown(use) || !isGranted([{ path: pattern, actions: [action] }], use)) continue;
      paths.add(use.path ?? '');
      one.lifetimeSeconds = Math.max(one.lifetimeSeconds, secondsUntil(use, grant));
    }
  }
}

/** Returns how old a credential was, in whole minutes: uses are entered by the minute. At most as long as it lived. */
function secondsUntil({ lastAt }: Use, { issuedAt, expiresAt }: NonNullable<CredentialUsage['grant']>): number {
  const minutes = Math.max(1, Math.ceil((lastAt - issuedAt) / 60_000));
  return Math.max(1, Math.min(minutes * 60, Math.ceil((expiresAt - issuedAt) / 1000)));
}

function accessOf({ target, action, byPattern, lifetimeSeconds }: Collected): UsedAccess | undefined {
  const used = new Map([...byPattern].filter(([, paths]) => paths.size > 0));
  return used.size > 0 ? { target, action, used, unused: unusedIn(byPattern), lifetimeSeconds } : undefined;
}

const unusedIn = (byPattern: ReadonlyMap<string, ReadonlySet<string>>): string[] =>
  [...byPattern].flatMap(([pattern, paths]) => (paths.size === 0 ? [pattern] : []));

const nameOf = (target: string, { path = '', action = '' }: Pick<Use, 'path' | 'action'>): string =>
  `${target} ${path}:${action}`;
