/** Lists the workloads that called lately. What the caller may not know of is left out. */
import { fillPage, type FilledPage, type Paging } from '../authorization/fill-page.js';
import type { Permitted } from '../authorization/permission.js';
import { permitPart } from '../authorization/permit-on-broker.js';
import { permitLookingAt } from '../authorization/permit-on-workloads.js';
import type { BrokerError } from '../domain/errors.js';
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

/** How many workloads one answer looks at, whatever the filter; and how many at once, as far as so many are asked for. */
const LOOKED_AT_MOST = 1_024;
const [PAGE_LEAST, PAGE_MOST] = [16, 128];

/** Every page after the first that is looked at counts as one request more, and so do so many questions to policy. */
export async function listWorkloads(
  deps: ListDeps,
  caller: AuthenticatedCaller,
  { owner, ...filter }: WorkloadFilter,
  paging: Paging<WorkloadPlace>,
): Promise<FilledPage<Permitted<'seeWorkload', ListedWorkload>, WorkloadPlace>> {
  const all = await permitPart(deps, caller, 'readRevocations');
  const pageSize = Math.min(Math.max(paging.limit, PAGE_LEAST), PAGE_MOST);
  const beforeMore = () => deps.assertWithinRate(caller.party);
  return fillPage(paging, { pageSize, lookedMost: LOOKED_AT_MOST, beforeMore }, async (by, wanted) => {
    const { workloads, next } = await workloadsAfter(deps.ledger, { owner, ...by });
    const listed = (await withState(deps.ledger, workloads)).filter((one) => matches(one, filter));
    const permitted: Permitted<'seeWorkload', ListedWorkload>[] = [];
    const unknown: BrokerError[] = [];
    const looking = { all, unknown: (why: BrokerError) => void unknown.push(why) };
    for (let start = 0; start < listed.length && permitted.length < wanted; start += EVALUATIONS_PER_POINT) {
      if (start > 0 && !all) await beforeMore();
      const some = listed.slice(start, start + EVALUATIONS_PER_POINT);
      permitted.push(...(await permitLookingAt(deps, caller, some, looking)));
    }
    return { found: permitted.map((one) => ({ one, place: one.subject.place })), next, unknown };
  });
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
