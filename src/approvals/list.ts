/** The approvals that a caller may see: those that they may answer, and those that they asked for. In pages. */
import { assertLiveCaller } from '../authorization/caller.js';
import { fillPage, type FilledPage, type Paging } from '../authorization/fill-page.js';
import type { PermitDeps } from '../authorization/permit.js';
import { permitApprovals, type PermittedApprovals, type SeenApproval } from '../authorization/permit-on-approval.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { APPROVAL_LISTS, approvalsAfter, type ApprovalPlace } from '../ledger/approvals.js';

export { APPROVAL_LISTS };

type SeenApprovals = FilledPage<PermittedApprovals['permitted'][number], ApprovalPlace>;

interface ListDeps extends PermitDeps {
  /** Takes a further request from the rate of the caller, or throws `slow_down`. */
  assertWithinRate: (party: AuthenticatedCaller['party']) => Promise<void>;
}

interface Wanted extends Paging<ApprovalPlace> {
  state: (typeof APPROVAL_LISTS)[number];
}

/** How many records one answer reads at most: each asks policy a few questions. So many at once, and each time counts as a request. */
const LOOKED_AT_MOST = 512;
const PAGE = 32;

/** Throws `access_denied` for a caller that is held or cut off, and `slow_down` where all that is read is more than its rate allows. */
export async function listApprovals(
  deps: ListDeps,
  caller: AuthenticatedCaller,
  { state, ...paging }: Wanted,
): Promise<SeenApprovals> {
  // Also where nothing waits: a refusal must not say that something does.
  await assertLiveCaller(deps, caller);
  const beforeMore = () => deps.assertWithinRate(caller.party);
  const looking = { pageSize: PAGE, lookedMost: LOOKED_AT_MOST, beforeMore };
  return fillPage(paging, looking, async (by) => {
    const { approvals, places, next } = await approvalsAfter(deps.ledger, state, by);
    const { permitted, unknown } = await permitApprovals(deps, caller, approvals);
    const placeOf = new Map(places.map((place) => [place[1], place]));
    const found = permitted.flatMap((one) => {
      const place = placeOf.get(one.subject.approval.id);
      return place && isListed(one.subject, state) ? [{ one, place }] : [];
    });
    return { found, next, unknown };
  });
}

/** An index is behind the clock, and knows nothing of the end of a task. */
const isListed = ({ state, approval }: SeenApproval, wanted: Wanted['state']): boolean =>
  wanted === 'pending' ? state === 'pending' : approval.review !== undefined && !approval.review.closed;
