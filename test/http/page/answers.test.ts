/** Answers by the forms of the page, without a browser: what a form can say, and what is refused whatever it says. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { PlainBrowser } from '../../../scripts/demo/plain-browser.js';
import { startApproverPage, type ApproverPage } from '../../support/approvals/page.js';

const POLICIES = `
@id("fixer-works") permit (principal == Workload::"lab:fixer", action in Action::"access", resource in Target::"https://tickets.example");
@id("writes-wait") @approval("sre-oncall") forbid (principal == Workload::"lab:fixer", action == Action::"write", resource)
  unless { context.approvals.contains("sre-oncall") };
@id("members-answer") permit (principal, action == Action::"approve", resource) when { principal in resource.group };
@id("duty-breaks-glass") permit (principal in Group::"duty", action == Action::"breakGlass", resource) unless { context.own };
@id("exports-want-two") @approval("sre-oncall") @approvers("2")
forbid (principal == Workload::"lab:fixer", action == Action::"export", resource) unless { context.approvals.contains("sre-oncall") };
@id("broken") forbid (principal in Group::"unsure", action == Action::"breakGlass", resource)
  when { 1 < 0 + 9223372036854775807 + 1 };`;

let at: ApproverPage;
let ann: PlainBrowser;
let count = 0;
beforeAll(async () => {
  at = await startApproverPage({ policies: POLICIES });
  ann = await at.signedIn('ann.sre-oncall');
});

async function parked(purpose = `close ${(count += 1)}`, scope = 'incident/4711:read incident/4711:write') {
  const ask = async () => {
    const { body } = await at.broker.exchange(await at.broker.identity('fixer'), { scope, purpose });
    return body as Record<string, unknown> & { approval_id: string };
  };
  const { approval_id: id } = await ask();
  return { id, ask, path: `${at.broker.url}/approvals/${id}` };
}

/** What no browser would send can be sent so. */
function sentByAnn(path: string, form: URLSearchParams) {
  const cookie = [...ann.cookies].map((pair) => pair.join('=')).join('; ');
  return at.broker.send(path, { method: 'POST', body: form, headers: { cookie, Origin: at.broker.url } });
}

describe('an answer by a form', () => {
  it('to all that is asked takes nothing away', async () => {
    const { ask, path } = await parked();
    await ann.open(path);
    const shown = await ann.submit({ decision: 'approve' });
    expect([shown.status, shown.url]).toEqual([200, path]);
    expect(await ask()).toMatchObject({ scope: 'incident/4711:read incident/4711:write' });
  });

  it.each([
    ['with nothing ticked', { decision: 'approve', keep: null }, 400, 'Nothing is ticked'],
    ['for longer than was asked', { decision: 'approve', seconds: '999999' }, 400, 'can only take away'],
    ['for a time that is none', { decision: 'approve', seconds: '1e9' }, 400, 'whole number of seconds'],
    ['for no time at all', { decision: 'approve', seconds: '0' }, 400, 'lifetimeSeconds: '],
    ['that refuses without a reason', { decision: 'deny', reason: ' ' }, 400, 'Say why'],
    [
      'with a reason beyond all bounds',
      { decision: 'deny', reason: 'x'.repeat(513) },
      400,
      '1 to 512 printable characters',
    ],
    [
      'to what was shown otherwise',
      { decision: 'approve', digest: 'x' },
      403,
      'made for another session, or for another request',
    ],
  ])('%s is refused, and changes nothing', async (_what, fields: Record<string, string | null>, status, why) => {
    const { ask, path } = await parked();
    await ann.open(path);
    const { decision = '', ...rest } = fields;
    const { url, form } = ann.formWith({ decision });
    for (const [name, value] of Object.entries(rest)) {
      if (value === null) form.delete(name);
      else form.set(name, value);
    }
    const reply = await sentByAnn(url.slice(at.broker.url.length), form);
    expect([reply.status, reply.text]).toEqual([status, expect.stringContaining(why)]);
    expect(await ask()).toMatchObject({ retry: 'after-approval' });
  });

  it('that was made for another request is refused: the tag in it names what was shown', async () => {
    const [one, two] = [await parked(), await parked()];
    await ann.open(one.path);
    const { form } = ann.formWith({ decision: 'approve' });
    expect(await sentByAnn(`/approvals/${two.id}/answer`, form)).toMatchObject({ status: 403 });
    expect(await two.ask()).toMatchObject({ retry: 'after-approval' });
  });

  it('of somebody who may not answer finds nothing there', async () => {
    const { path } = await parked();
    const eve = await at.signedIn('eve.sales');
    expect(await eve.open(path)).toMatchObject({ status: 404 });
    expect((await eve.open(`${at.broker.url}/approvals`)).text).toContain('Nothing waits for you');
  });

  it('in an emergency needs a reason, and its review is closed by somebody else', async () => {
    const { ask, path } = await parked();
    const dan = await at.signedIn('dan.duty');
    await dan.open(path);
    await dan.submit({ decision: 'emergency', reason: 'all is on fire' });
    expect(dan.shown.text).toContain('declared an emergency');
    expect(await ask()).toHaveProperty('access_token');
    await dan.open(path);
    expect(dan.shown.text).not.toContain('Close the review');
    await ann.open(`${at.broker.url}/approvals`);
    expect(ann.shown.text).toContain('Emergencies to review');
    await ann.open(path);
    const blank = await ann.submit({ note: ' \r\n ' });
    expect([blank.status, blank.text]).toEqual([400, expect.stringContaining('note: ')]);
    await ann.open(path);
    await ann.submit({ note: 'it was' });
    expect(ann.shown.text).toMatch(/Reviewed by <strong>people:ann\.sre-oncall/);
  });

  it.each([
    ['bea.sre-oncall', 'deny', 'approve'],
    ['don.duty', 'emergency', 'breakGlass'],
  ])('of %s to %s is audited with the verb %s where it is refused', async (login, decision, verb) => {
    const { id, path } = await parked();
    const browser = await at.signedIn(login);
    await browser.open(path);
    expect(await browser.submit({ decision, reason: ' ' })).toMatchObject({ status: 400 });
    const soc = await at.broker.identity('soc');
    const { lines } = (await at.broker.get('/audit?type=operation.refused&limit=1000', soc)).body as {
      lines: string[];
    };
    const last = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;
    expect(last).toMatchObject({ verb, actor: { id: `people:${login}` }, reason: expect.stringMatching(/^Say why/) });
    expect((await at.broker.get(`/approvals/${id}`, await at.broker.identity('fixer'))).body).toMatchObject({
      state: 'pending',
    });
  });

  it('in an emergency is taken from one who has agreed, and cannot wait for the other', async () => {
    const { ask, path } = await parked('get it out', 'incident/4711:export');
    const gus = await at.signedIn('gus.sre-oncall.duty');
    await gus.open(path);
    await gus.submit({ decision: 'approve' });
    expect(gus.shown.text).toContain('You have answered. Somebody else must agree too.');
    expect(gus.shown.text).not.toContain('value="approve"');
    expect(await ask()).toMatchObject({ retry: 'after-approval' });
    await gus.submit({ decision: 'emergency', reason: 'nobody else is awake' });
    expect(await ask()).toHaveProperty('access_token');
  });

  it('is possible where it is not known who may declare an emergency, and the list says that something may be missing', async () => {
    const { path } = await parked();
    const kim = await at.signedIn('kim.unsure');
    const why = 'Policy cannot be evaluated for &quot;breakGlass&quot;, because of &quot;broken&quot;';
    expect((await kim.open(`${at.broker.url}/approvals`)).text).toContain(`Some requests may be missing here. ${why}`);
    const lee = await at.signedIn('lee.sre-oncall.unsure');
    expect((await lee.open(path)).text).toContain(why);
    await lee.submit({ decision: 'approve' });
    expect(lee.shown.text).toContain('It is approved.');
  });
});
