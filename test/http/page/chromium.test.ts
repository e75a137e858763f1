/** The page for approvers in a real Chromium: from the link in a message to the credential of the agent. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { CHROMIUM, startChromium } from '../../../scripts/demo/chromium.js';
import { startApproverPage, type ApproverPage } from '../../support/approvals/page.js';

const POLICIES = `
@id("fixer-works") permit (principal == Workload::"lab:fixer", action in Action::"access", resource in Target::"https://tickets.example");
@id("writes-wait") @approval("sre-oncall") forbid (principal == Workload::"lab:fixer", action == Action::"write", resource)
  unless { context.approvals.contains("sre-oncall") };
@id("members-answer") permit (principal, action == Action::"approve", resource) when { principal in resource.group };`;
const MARKUP = `close it <script>document.title='x'</script><img src=x onerror=alert(1)> "'&amp; ${'w'.repeat(90)}`;
const TELEPHONE = { width: 360, height: 740 };

if (CHROMIUM === undefined)
  process.stderr.write(
    'There is no Chromium (CHROMIUM_PATH, or chromium on the PATH): the page is tested without a browser.\n',
  );

(CHROMIUM === undefined ? describe.skip : describe)('in Chromium', () => {
  let at: ApproverPage;
  let browser: Browser;
  beforeAll(async () => {
    at = await startApproverPage({ policies: POLICIES });
    browser = await startChromium(CHROMIUM ?? '');
  });
  afterAll(() => browser.close());

  const ask = async (wish: { scope?: string; purpose?: string } = {}) => {
    const { scope = 'incident/4711:read incident/4711:write', purpose = 'close incident 4711' } = wish;
    const { body } = await at.broker.exchange(await at.broker.identity('fixer'), { scope, purpose });
    return body as { approval_id: string; error?: string; retry?: string; scope?: string; expires_in?: number };
  };

  /** Opens the address, and signs in there. */
  async function open(login: string, path: string, context?: BrowserContext): Promise<Page> {
    const own = context ?? (await browser.newContext({ viewport: TELEPHONE }));
    const page = await own.newPage();
    await page.goto(`${at.broker.url}${path}`);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.fill('input[name=login]', login);
    await page.fill('input[name=password]', 'x');
    await page.click('button');
    await at.catchUp();
    await page.click('button');
    await page.getByText(`Signed in as people:${login}`).waitFor();
    return page;
  }

  it('a person signs in, reads, takes something away and agrees; the agent gets that, and nothing more', async () => {
    const { approval_id: id } = await ask();
    const context = await browser.newContext({ viewport: TELEPHONE });
    const asked: string[] = [];
    context.on('request', (request) => {
      // The page of the provider has a font from elsewhere.
      if (request.isNavigationRequest() || request.frame().url().startsWith(at.broker.url)) asked.push(request.url());
    });
    const page = await open('ann.sre-oncall', `/approvals/${id}`, context);
    expect(page.url()).toBe(`${at.broker.url}/approvals/${id}`);
    const text = await page.innerText('main');
    for (const part of [
      'lab:fixer',
      'close incident 4711',
      'https://tickets.example',
      'write incident/4711',
      'writes-wait',
    ])
      expect(text).toContain(part);
    await page.getByLabel('read incident/4711').uncheck();
    await page.getByLabel(/so many seconds/).fill('60');
    await page.getByRole('button', { name: 'Agree to what is ticked' }).click();
    await page.getByText('It is approved.').waitFor();
    expect(await page.innerText('main')).toMatch(/people:ann\.sre-oncall agreed, .*to less than what was asked/);

    expect(await ask()).toMatchObject({ scope: 'incident/4711:write', expires_in: 60 });
    await page.reload();
    expect(await page.innerText('main')).toContain('the agent has its credential');
    const ours = [at.broker.url, at.provider].map((url) => new URL(url).host);
    expect(asked.filter((url) => !ours.includes(new URL(url).host))).toEqual([]);
  });

  it('a person refuses with a reason, by keyboard alone', async () => {
    const { approval_id: id } = await ask({ purpose: 'refuse me' });
    const page = await open('ann.sre-oncall', `/approvals/${id}`);
    await page.getByLabel(/Why you refuse it/).focus();
    await page.keyboard.type('not tonight');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('It was refused.').waitFor();
    expect(await ask({ purpose: 'refuse me' })).toMatchObject({ error: 'access_denied', retry: 'never' });
  });

  it('markup and long words of an agent are text, on a telephone too: nothing runs, nothing overflows', async () => {
    const { approval_id: id } = await ask({ purpose: MARKUP });
    const page = await open('ann.sre-oncall', `/approvals/${id}`);
    expect(await page.innerText('blockquote')).toBe(MARKUP);
    expect(await page.title()).toBe('lab:fixer asks · Mayfly');
    expect(await page.locator('script, img, iframe').count()).toBe(0);
    for (const path of [`/approvals/${id}`, '/approvals']) {
      await page.goto(`${at.broker.url}${path}`);
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(TELEPHONE.width);
    }
    // The one style sheet is in force: its hash is right.
    expect(await page.evaluate<string>('getComputedStyle(document.body).maxWidth')).not.toBe('none');
  });

  it('a link in a message finds the session, although it comes from elsewhere; a form from elsewhere does nothing', async () => {
    const { approval_id: id } = await ask({ purpose: 'by a link' });
    const context = await browser.newContext();
    await open('ann.sre-oncall', '/approvals', context);
    const page = await context.newPage();
    await page.goto(`data:text/html,<a href="${at.broker.url}/approvals/${id}">see</a>`);
    await page.click('a');
    await page.getByRole('heading', { name: 'lab:fixer asks' }).waitFor();

    const form = `<form method=post action="${at.broker.url}/approvals/${id}/answer"><input name=decision value=approve><button>win</button></form>`;
    await page.goto(`data:text/html,${encodeURIComponent(form)}`);
    await page.click('button');
    await page.getByText('This form was not sent by a page of this broker').waitFor();
    expect(await ask({ purpose: 'by a link' })).toMatchObject({ error: 'access_denied', retry: 'after-approval' });
  });

  it('a form of one person does nothing once another has signed in, in another tab', async () => {
    const { approval_id: id } = await ask({ purpose: 'two tabs' });
    const context = await browser.newContext();
    const first = await open('ann.sre-oncall', `/approvals/${id}`, context);
    const second = await context.newPage();
    await second.goto(`${at.broker.url}/approvals`);
    await second.getByRole('button', { name: 'Sign out' }).click();
    await context.clearCookies({ name: /^_session/ });
    await open('bob.sre-oncall', '/approvals', context);
    await first.getByRole('button', { name: 'Agree to what is ticked' }).click();
    await first.getByText('made for another session').waitFor();
    expect(await ask({ purpose: 'two tabs' })).toMatchObject({ retry: 'after-approval' });
  });

  it('an answer to what has changed meanwhile is refused: it is read again', async () => {
    const { approval_id: id } = await ask({ purpose: 'twice' });
    const [ann, bob] = [
      await open('ann.sre-oncall', `/approvals/${id}`),
      await open('bob.sre-oncall', `/approvals/${id}`),
    ];
    await ann.getByRole('button', { name: 'Agree to what is ticked' }).click();
    await ann.getByText('It is approved.').waitFor();
    await bob.getByRole('button', { name: 'Agree to what is ticked' }).click();
    await bob.getByRole('alert').waitFor();
    expect(await bob.innerText('main')).toMatch(/only one that is pending can be answered/);
  });
});
