/** A write that a person must agree to: it waits, is approved for less on the page in a browser, and is released. */
import { z } from 'zod';
import { issuedSchema } from '../answers.js';
import { approveOnPage } from '../approver.js';
import { good } from '../http.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { expectThat, Unexpected } from '../unexpected.js';

const parkedSchema = z.object({
  error: z.literal('access_denied'),
  retry: z.literal('after-approval'),
  approval_id: z.string(),
});
const WISH = { scope: 'incident/4711:read incident/4711:write', purpose: 'close incident 4711' };
const SECONDS = 60;

export async function approvalAct(stage: Stage, tell: Transcript): Promise<void> {
  const fixer = await stage.identity('fixer');
  let [approval, token] = ['', ''];
  tell.act('A write that a person must agree to');

  await tell.step('fixer asks for a write: policy wants the yes of the on-call first', async () => {
    const reply = await stage.exchange(fixer, WISH);
    const parked = parkedSchema.safeParse(JSON.parse(reply.text));
    if (!parked.success) throw new Unexpected('a request that waits', `HTTP ${reply.status} ${reply.text}`);
    approval = parked.data.approval_id;
    return `${approval} waits; it is bound to exactly what was asked`;
  });
  await tell.step('ann of sre-oncall signs in at her provider, and agrees to less', async () => {
    const how = await approveOnPage(`${stage.broker.url}/approvals/${approval}`, {
      login: 'ann.sre-oncall',
      seconds: SECONDS,
    });
    return `on the page at /approvals, ${how}: without the read, for ${SECONDS} seconds`;
  });
  await tell.step('fixer asks the same again, and gets what she agreed to', async () => {
    const issued = good(await stage.exchange(fixer, WISH), issuedSchema);
    token = issued.access_token;
    expectThat(issued.scope === 'incident/4711:write', 'the scope incident/4711:write', issued.scope);
    expectThat(issued.expires_in <= SECONDS, `at most ${SECONDS} seconds`, String(issued.expires_in));
    return [`${token}   ${issued.scope}, ${issued.expires_in} s`];
  });
  await tell.step('writes with it', async () => {
    const { status, text } = await stage.tickets('PUT', 'incident/4711', token);
    expectThat(status === 200, 'HTTP 200', `${status} ${text}`);
    return text;
  });
}
