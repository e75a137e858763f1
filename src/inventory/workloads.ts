/** Lists the workloads that called lately. What the caller may not know of is left out. */
import type { Permitted } from '../authorization/permission.js';
import { permitPart } from '../authorization/permit-on-broker.js';
import { permitLookingAt } from '../authorization/permit-on-workloads.js';
import { defined } from '../domain/defined.js';
import { EVALUATIONS_PER_POINT } from '../domain/limits.js';
import { highest, levelNow } from '../domain/risk.js';
import { cause } from '../domain/selector.js';
import type { Level } from '../domain/signal.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { Ledger } from '../ledger/ledger.js';
import { readRisks } from '../ledger/risk.js';
import { workloadsAfter, type PlacedWorkload, type WorkloadPlace } from '../ledger/workloads.js';
import { workloadCauses } from './standing.js';
import type { ListDeps } from './tasks.js';

interface WorkloadFilter {
  /** The name of the team, and the trust name of the issuer. */
  owner?: string;
  issuer?: string;
  held?: boolean;
  risk?: Level;
}

export interface ListedWorkload extends PlacedWorkload {
  level: Level;
  /** Whether a hold on it, or on what it hangs on, is in force. */
  held: boolean;
}

interface PermittedWorkloads {
  permitted: Permitted<'readRevocations', ListedWorkload>[];
  /** The place to continue after; absent when all were looked at. A page may be empty and not be the last. */
  next?: WorkloadPlace;
}

interface Wanted {
  after?: WorkloadPlace;
  limit: number;
}

/** How many workloads one answer looks at, whatever the filter; and how many at once, as far as so many are asked for. */
const LOOKED_AT_MOST = 1_024;
const [PAGE_LEAST, PAGE_MOST] = [16, 128];

/** Every page after the first that is looked at counts as one request more, and so do so many questions to policy. */
export async function permitWorkloads(
  deps: ListDeps,
  caller: AuthenticatedCaller,
  { owner, ...filter }: WorkloadFilter,
  { after, limit }: Wanted,
): Promise<PermittedWorkloads> {
  const all = await permitPart(deps, caller, 'readRevocations');
  const permitted: PermittedWorkloads['permitted'] = [];
  const most = Math.min(Math.max(limit, PAGE_LEAST), PAGE_MOST);
  let place = after;
  for (let looked = 0; looked + most <= LOOKED_AT_MOST; looked += most) {
    if (looked > 0) await deps.assertWithinRate(caller.party);
    const { workloads, next } = await workloadsAfter(deps.ledger, { owner, after: place, most });
    const listed = (await withState(deps.ledger, workloads)).filter((one) => matches(one, filter));
    for (let start = 0; start < listed.length; start += EVALUATIONS_PER_POINT) {
      if (start > 0 && !all) await deps.assertWithinRate(caller.party);
      const some = listed.slice(start, start + EVALUATIONS_PER_POINT);
      permitted.push(...(await permitLookingAt(deps, caller, some, all)));
      if (permitted.length >= limit) return cutTo(permitted, limit);
    }
    if (!next) return { permitted };
    place = next;
  }
  return defined({ permitted, next: place });
}

function cutTo(permitted: PermittedWorkloads['permitted'], limit: number): PermittedWorkloads {
  const cut = permitted.slice(0, limit);
  return defined({ permitted: cut, next: cut.at(-1)?.subject.place });
}

async function withState(ledger: Ledger, workloads: readonly PlacedWorkload[]): Promise<ListedWorkload[]> {
  const risksOf = workloads.map(({ party: { id } }) => [cause('workload', id), cause('principal', id)]);
  const [log, risks] = await Promise.all([
    ledger.log.look([...new Set(workloads.flatMap(({ party }) => workloadCauses(party)))]),
    readRisks(ledger, risksOf.flat()),
  ]);
  const now = ledger.clock.now();
  return workloads.map((one, place) => {
    const own = risks.slice(2 * place, 2 * place + 2).filter((risk) => risk !== undefined);
    return {
      ...one,
      level: highest(own.map((risk) => levelNow(risk, now))),
      held: log.on(workloadCauses(one.party)).some((tombstone) => (tombstone?.holds.length ?? 0) > 0),
    };
  });
}

const matches = ({ party, held, level }: ListedWorkload, filter: Omit<WorkloadFilter, 'owner'>): boolean =>
  (filter.issuer === undefined || filter.issuer === party.issuer) &&
  (filter.held === undefined || filter.held === held) &&
  (filter.risk === undefined || filter.risk === level);
