/**
 * How a workload or a team stands now, for whoever is on call: whom to ask, what is alive, what is held, and of a workload its risk
 * and its last refusals.
 */
import { parseEntry, type AuditEntry } from '../audit/event.js';
import type { AuditLog } from '../audit/log.js';
import type { Deps } from '../authorization/deps.js';
import type { Permitted } from '../authorization/permission.js';
import type { PermitDeps } from '../authorization/permit.js';
import { permitPart } from '../authorization/permit-on-broker.js';
import { teamOf } from '../authorization/team.js';
import { defined } from '../domain/defined.js';
import { partyCauses } from '../domain/hangs-on.js';
import type { PartyRef } from '../domain/party.js';
import { ALL, cause, causeOf, type Cause, type Selector } from '../domain/selector.js';
import type { Level } from '../domain/signal.js';
import type { Ledger } from '../ledger/ledger.js';
import { readReceipt, type Receipt } from '../ledger/receipts.js';
import { riskOf } from '../ledger/risk.js';
import { isSeen } from '../ledger/seen.js';
import { liveUnder, type Live } from './live.js';
import { knownWorkload } from './known-workload.js';

/** A team, and what the configuration says of it (`owners`). */
interface Owner {
  name: string;
  contact?: string | undefined;
  runbook?: string | undefined;
}

interface Standing {
  /** Whether anything is known by the name. Undefined: not as far as was looked. */
  seen: boolean | undefined;
  /** What a revocation would hit. */
  live: Live;
  held: boolean;
  /** The receipts of the holds, the latest first; of a hold of this second there may be none yet. */
  holds: Receipt[];
}

export interface WorkloadStanding extends Standing {
  workload: string;
  issuer: string;
  owner?: Owner;
  /** When it called last, to the hour. Milliseconds; absent where it did not within a month. */
  seenAt?: number;
  level: Level;
  /** The latest refusals, the latest first. Absent where the caller may not read the audit log. */
  refusals?: AuditEntry[];
}

export interface OwnerStanding extends Standing {
  owner: Owner;
}

type Reading = Permitted<'readRevocations'>;
type StandingDeps = PermitDeps & Pick<Deps, 'settings'> & { audit: Pick<AuditLog, 'page' | 'head'> };

export async function showWorkload(deps: StandingDeps, { caller }: Reading, id: string): Promise<WorkloadStanding> {
  const { ledger, settings } = deps;
  const { party, seenAt } = await knownWorkload(deps, id);
  const [standing, risk, refusals] = await Promise.all([
    standingOf(ledger, { kind: 'workload', value: id }, workloadCauses(party)),
    riskOf(ledger, [cause('workload', id), cause('principal', id)]),
    permitPart(deps, caller, 'readAudit').then((permitted) => permitted && lastRefusals(deps.audit, permitted, id)),
  ]);
  const owner = party.owner === undefined ? undefined : ownerOf(settings, party.owner);
  return {
    ...standing,
    workload: id,
    issuer: party.issuer,
    level: risk.level,
    ...defined({ seenAt, owner, refusals }),
  };
}

export async function showOwner(
  { ledger, settings }: Pick<StandingDeps, 'ledger' | 'settings'>,
  _: Reading,
  name: string,
): Promise<OwnerStanding> {
  const selector = { kind: 'owner', value: name } as const;
  return { ...(await standingOf(ledger, selector, [causeOf(selector), ALL])), owner: ownerOf(settings, name) };
}

/** Returns the team with what the configuration says of it. */
export const ownerOf = ({ owners }: Deps['settings'], name: string): Owner => ({ ...teamOf(owners, name), name });

const HOLDS_SHOWN = 20;

/** Returns what a hold must be on to hold the workload. One that serves nobody else is its own principal. */
export const workloadCauses = (party: PartyRef): Cause[] => [...partyCauses(party), cause('principal', party.id), ALL];

async function standingOf(ledger: Ledger, selector: Selector, causes: readonly Cause[]): Promise<Standing> {
  const [log, live, seen] = await Promise.all([
    ledger.log.look(causes),
    liveUnder(ledger, selector),
    isSeen(ledger, selector),
  ]);
  const holds = log.on(causes).flatMap((tombstone) => tombstone?.holds ?? []);
  const latest = [...new Set(holds)].toSorted((one, other) => other - one).slice(0, HOLDS_SHOWN);
  const receipts = await Promise.all(latest.map((seq) => readReceipt(ledger, seq)));
  return {
    seen,
    live,
    held: holds.length > 0,
    holds: receipts.filter((receipt) => receipt !== undefined),
  };
}

/** The lines at the end of the audit log that are looked at. A page reads no more. */
const LINES_LOOKED_AT = 5_000;
const REFUSALS_SHOWN = 10;

async function lastRefusals(
  audit: StandingDeps['audit'],
  _: Permitted<'readAudit'>,
  workload: string,
): Promise<AuditEntry[]> {
  const { seq } = await audit.head();
  const named = JSON.stringify(workload);
  const { lines } = await audit.page({
    after: Math.max(0, seq - LINES_LOOKED_AT),
    limit: LINES_LOOKED_AT,
    concerns: (line) => line.includes(named) && line.includes('.refused"'),
  });
  const refusals = lines.map(parseEntry).filter((entry) => isRefusalOf(entry, workload));
  return refusals.slice(-REFUSALS_SHOWN).toReversed();
}

const isRefusalOf = ({ type, actor, workload }: AuditEntry, id: string): boolean =>
  (type === 'credential.refused' || type === 'operation.refused') && (actor?.id === id || workload === id);
