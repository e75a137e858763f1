/**
 * Refuses a revocation that would look like a success and hit nobody: of a name that no configured issuer could prove, and,
 * unless the caller insists, of somebody whom this broker has never seen. The log and reactions to signals do not ask: whoever is
 * held before the first call stays out.
 */
import type { Settings } from '../authorization/deps.js';
import { BrokerError } from '../domain/errors.js';
import { didYouMean, nearNames } from '../domain/near-names.js';
import { formatSelector, type Selector } from '../domain/selector.js';
import { prefixOf } from '../domain/party.js';
import { canHitSomebody } from '../identity/party-from-id.js';
import type { Ledger } from '../ledger/ledger.js';
import { isSeen } from '../ledger/seen.js';

interface SeenDeps {
  ledger: Ledger;
  settings: Pick<Settings, 'trust' | 'targets'>;
}

interface Insistence {
  /** The caller means it, although nobody by that name was ever seen. */
  unseen: boolean;
  /** How the caller would say so. */
  by: string;
}

/** Returns whether the selector names something that is known; undefined if the store cannot say, which stops no revocation. */
export async function assertSeen(
  { ledger, settings }: SeenDeps,
  selector: Selector,
  { unseen, by }: Insistence,
): Promise<boolean | undefined> {
  // A drill hits nobody, and is meant so.
  if (selector.kind === 'drill') return undefined;
  if (isConfigured(settings, selector)) return true;
  const seen = await isSeen(ledger, selector).catch(() => undefined);
  if (seen !== false) return seen;
  if (!canHitSomebody(settings.trust, selector)) throw hitsNobody(settings, selector);
  if (!unseen) throw neverSeen(selector, by, await seenLike(ledger, settings, selector));
  return false;
}

/** The names of issuers, targets and teams stand in the configuration, whether or not anybody has called. */
function isConfigured({ trust, targets }: SeenDeps['settings'], { kind, value }: Selector): boolean {
  switch (kind) {
    case 'issuer':
      return trust.some(({ name }) => name === value);
    case 'target':
      return targets.includes(value);
    case 'owner':
      return ownersIn(trust).includes(value);
    default:
      return false;
  }
}

function hitsNobody({ trust }: SeenDeps['settings'], selector: Selector): BrokerError {
  const { kind, value } = selector;
  const meant = namesLike(trust, selector).filter((one) => canHitSomebody(trust, { kind, value: one }));
  const nobody = `${value} would hit nobody.${didYouMean(meant)}`;
  switch (kind) {
    case 'issuer':
      return refused(`An issuer is named by its trust name; ${nobody}`);
    case 'session':
      return refused(`A session is written <trust name>:<sid>, of an entry that stands for persons; ${nobody}`);
    case 'run':
      return refused(`A run is written <trust name>:<run>, of an entry that stands for workloads; ${nobody}`);
    case 'subject':
      return refused(
        `A subject is written <trust name>:<sub>, of an entry whose ids are made of other claims (trust[].workload); ${nobody}` +
          ' Where ids are made of sub, name the workload.',
      );
    default:
      return refused(
        `A ${kind} is written <trust name>:<sub> (or what trust[].workload names in place of sub), or spiffe://<trust domain>/<path>, of a configured issuer; ${nobody}` +
          ' What an issuer proved that is no longer configured is revoked by issuer.',
      );
  }
}

function neverSeen(selector: Selector, by: string, meant: readonly string[]): BrokerError {
  return refused(
    `Nothing was ever seen here of ${formatSelector(selector)}, so nothing was revoked.${didYouMean(meant)} If it is meant, say ${by}.`,
  );
}

/** Returns what may have been meant, of what is known. */
async function seenLike(
  ledger: Ledger,
  { trust, targets }: SeenDeps['settings'],
  { kind, value }: Selector,
): Promise<string[]> {
  if (kind === 'target') return nearNames(value, targets);
  if (kind !== 'owner') return [];
  const lower = value.toLowerCase();
  const isLower = lower !== value && (await isSeen(ledger, { kind, value: lower }).catch(() => undefined)) === true;
  return nearNames(value, [...ownersIn(trust), ...(isLower ? [lower] : [])]);
}

/** Returns how the value of a selector may have been meant: with a trust name before it, or with another one. */
function namesLike(trust: Settings['trust'], { kind, value }: Selector): string[] {
  const names = trust.map(({ name }) => name);
  if (kind === 'issuer') return nearNames(value, names);
  const [start = '', ...rest] = value.split(':');
  const oidc = trust.filter((one) => one.kind === 'oidc');
  if (rest.length === 0) return oidc.map((one) => `${prefixOf(one)}${value}`);
  const near = nearNames(
    start,
    oidc.map(({ name }) => name),
  );
  return near.map((name) => `${name}:${rest.join(':')}`);
}

const ownersIn = (trust: Settings['trust']): string[] =>
  trust.flatMap(({ owner }) => (owner && 'value' in owner ? [owner.value] : []));

const refused = (text: string): BrokerError => new BrokerError('invalid_request', text);
