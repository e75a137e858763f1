/** The endpoints of the API that show browsers a page: what waits, and one request. */
import { z } from 'zod';
import { listApprovals } from '../../approvals/list.js';
import { permitOnApproval } from '../../authorization/permit-on-approval.js';
import { defined } from '../../domain/defined.js';
import { approvalList, approvalReading } from '../approvals.js';
import type { HttpDeps } from '../deps.js';
import { readQuery } from '../wire/body.js';
import { cursor, cursorText } from '../wire/cursor.js';
import { approvalPage } from './approval-page.js';
import { listPage, type Listed } from './list-page.js';
import { withPage } from './with-page.js';

const LISTED = 50;

export const pagedList = (deps: HttpDeps) => {
  const paging = z.strictObject({ after: cursor(deps, 'approvals').exactOptional() });
  return withPage(deps, approvalList(deps), 'what waits for the person who has signed in.', async (call, session) => {
    const { after } = readQuery(call, paging);
    const listed = async (state: 'pending' | 'review'): Promise<Listed> => {
      const wanted = { state, limit: LISTED, after: state === 'pending' ? after : undefined };
      const { permitted, next, unknown } = await listApprovals(deps, session.caller, defined(wanted));
      return {
        seen: permitted.map(({ subject }) => subject),
        next: next && cursorText(deps, 'approvals', next),
        unknown: unknown.map(({ message }) => message),
      };
    };
    return listPage(await listed('pending'), await listed('review'), session, deps.ledger.clock.now());
  });
};

export const pagedReading = (deps: HttpDeps) =>
  withPage(
    deps,
    approvalReading(deps),
    'the request in plain words, and the forms of the answer.',
    async (call, session) => {
      const { subject } = await permitOnApproval(deps, session.caller, call.params['id'] ?? '');
      return approvalPage(deps, subject, session);
    },
  );
