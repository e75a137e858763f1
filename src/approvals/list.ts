/** The approvals that a caller may see: those that they may answer, and those that they asked for. In pages. */
import { assertLiveCaller } from '../authorization/caller.js';
import type { PermitDeps } from '../authorization/permit.js';
import { permitApprovals, type PermittedApprovals, type SeenApproval } from '../authorization/permit-on-approval.js';
import { defined } from '../domain/defined.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { APPROVAL_LISTS, approvalsAfter, type ApprovalPlace } from '../ledger/approvals.js';

export { APPROVAL_LISTS };

interface SeenApprovals extends PermittedApprovals {
  /** The place to continue after; absent when all were looked at. A page may be short, or empty, and not be the last. */
  next?: ApprovalPlace;
}

interface ListDeps extends PermitDeps {
  /** Takes a further request from the rate of the caller, or throws `slow_down`. */
  assertWithinRate: (party: AuthenticatedCaller['party']) => Promise<void>;
}

interface Wanted {
  state: (typeof APPROVAL_LISTS)[number];
  after?: ApprovalPlace;
  limit: number;
}

/** How many records one answer reads at most: each asks policy a few questions. So many at once, and each time counts as a request. */
const LOOKED_AT_MOST = 512;
const PAGE = 32;

/** Throws `access_denied` for a caller that is held or cut off, and `slow_down` where all that is read is more than its rate allows. */
export async function listApprovals(
  deps: ListDeps,
  caller: AuthenticatedCaller,
  { state, after, limit }: Wanted,
): Promise<SeenApprovals> {
  // Also where nothing waits: a refusal must not say that something does.
  await assertLiveCaller(deps, caller);
  const permitted: SeenApprovals['permitted'] = [];
  const unknown = new Map<string, PermittedApprovals['unknown'][number]>();
  const answer = (more: Partial<SeenApprovals>): SeenApprovals => ({
    permitted,
    unknown: [...unknown.values()],
    ...more,
  });
  let place = after;
  for (let looked = 0; looked < LOOKED_AT_MOST; looked += PAGE) {
    if (looked > 0) await deps.assertWithinRate(caller.party);
    const page = await approvalsAfter(deps.ledger, state, defined({ after: place, most: PAGE }));
    const found = await permitApprovals(deps, caller, page.approvals);
    for (const one of found.unknown) unknown.set(one.message, one);
    permitted.push(...found.permitted.filter(({ subject }) => isListed(subject, state)));
    if (permitted.length >= limit) return answer(cutAfter(permitted.slice(0, limit), page.places));
    if (!page.next) return answer({});
    place = page.next;
  }
  return answer(defined({ next: place }));
}

/** An index is behind the clock, and knows nothing of the end of a task. */
const isListed = ({ state, approval }: SeenApproval, wanted: Wanted['state']): boolean =>
  wanted === 'pending' ? state === 'pending' : approval.review !== undefined && !approval.review.closed;

function cutAfter(permitted: SeenApprovals['permitted'], places: readonly ApprovalPlace[]) {
  const last = permitted.at(-1)?.subject.approval.id;
  return defined({ permitted, next: places.find(([, id]) => id === last) });
}
