/** Signing in on the page for approvers, and the session that it begins: what it takes, and what ends it. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { PlainBrowser } from '../../../scripts/demo/plain-browser.js';
import { defined } from '../../../src/domain/defined.js';
import { derived, newSecret } from '../../../src/keys/locked.js';
import { startApproverPage, type ApproverPage } from '../../support/approvals/page.js';
import { startBroker } from '../../support/brokers/http.js';

const SESSION = '__Host-mayfly-approver';
const LOGIN = '__Host-mayfly-login';

let at: ApproverPage;
beforeAll(async () => {
  at = await startApproverPage();
});

const visit = (browser: PlainBrowser) => browser.open(`${at.broker.url}/approvals`);

describe('signing in', () => {
  it('asks the provider with PKCE, state and nonce, and keeps the secret of it in a cookie of ten minutes', async () => {
    const answer = await fetch(`${at.broker.url}/approvals/sign-in`, { redirect: 'manual' });
    expect(answer.status).toBe(303);
    const address = new URL(answer.headers.get('location') ?? '');
    expect(address.origin).toBe(at.provider);
    expect(Object.fromEntries(address.searchParams)).toEqual({
      client_id: 'mayfly-approvals',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      redirect_uri: `${at.broker.url}/approvals/signed-in`,
      response_type: 'code',
      scope: 'openid groups',
      state: expect.stringMatching(/^[\w-]{43}$/),
    });
    const [cookie = ''] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-mayfly-login=[\w-]{128}; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/);
    for (const value of address.searchParams.values()) expect(cookie).not.toContain(value);
  });

  it('shows who is signed in; the cookie is for this host, this site and 15 minutes, and the token is nowhere in it', async () => {
    const browser = await at.signedIn('ann.sre-oncall');
    expect(browser.shown).toMatchObject({ status: 200, url: `${at.broker.url}/approvals` });
    expect(browser.shown.text).toContain('Signed in as <strong>people:ann.sre-oncall</strong>');
    expect([...browser.cookies.keys()]).toContain(SESSION);
    expect([...browser.cookies.keys()]).not.toContain(LOGIN);
    expect(browser.cookies.get(SESSION)).toMatch(/^[\w-]{43}$/);
    expect(at.broker.logged()).toMatch(/"endpoint":"\/approvals","method":"GET","status":200,"person":"people:ann/);
    expect(at.broker.logged()).not.toContain(browser.cookies.get(SESSION));
    expect(at.broker.logged()).not.toMatch(/code=|eyJ/);
  });

  it('goes on to the request that the person wanted to see, and to nowhere else', async () => {
    const id = `apr_${'a'.repeat(16)}`;
    const { url, status } = (await at.signedIn('ann.sre-oncall', `/approvals/${id}`)).shown;
    expect([url, status]).toEqual([`${at.broker.url}/approvals/${id}`, 404]);
    const away = await fetch(`${at.broker.url}/approvals/sign-in?to=//evil.example`, { redirect: 'manual' });
    expect(away.headers.getSetCookie().join()).not.toContain('evil');
  });

  it.each([
    ['without a login that this browser has begun', false, {}, 'has begun no login lately'],
    ['with the state of another login', true, { state: 'x'.repeat(43) }, 'belongs to no login that this browser'],
    ['with a code that is none', true, { code: 'forged' }, 'belongs to no login that this browser has begun'],
    ['after the person said no', true, { error: 'access_denied' }, 'The provider did not sign you in'],
  ])('is refused %s', async (_what, hasBegun, came: Record<string, string>, why) => {
    const browser = new PlainBrowser();
    const begun = await fetch(`${at.broker.url}/approvals/sign-in`, { redirect: 'manual' });
    const [, secret = ''] = /=([^;]*)/.exec(begun.headers.getSetCookie()[0] ?? '') ?? [];
    if (hasBegun) browser.cookies.set(LOGIN, secret);
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const query = new URLSearchParams({ state, iss: at.provider, ...came });
    const shown = await browser.open(`${at.broker.url}/approvals/signed-in?${query.toString()}`);
    expect([shown.status, shown.text]).toEqual([403, expect.stringContaining(why)]);
    expect(browser.cookies.has(SESSION)).toBe(false);
  });

  it('takes no login that the browser says it has begun: the provider is not asked', async () => {
    const secret = newSecret();
    const browser = new PlainBrowser();
    browser.cookies.set(LOGIN, secret);
    const query = new URLSearchParams({ state: derived(secret, 'state'), iss: at.provider, code: 'forged' });
    const shown = await browser.open(`${at.broker.url}/approvals/signed-in?${query.toString()}`);
    expect([shown.status, shown.text]).toEqual([403, expect.stringContaining('has begun no login lately')]);
  });

  it('takes the answer of a login for ten minutes, and from one address sixty times a minute', async () => {
    const own = await startApproverPage();
    const browser = new PlainBrowser();
    const begun = await fetch(`${own.broker.url}/approvals/sign-in`, { redirect: 'manual' });
    const [, secret = ''] = /=([^;]*)/.exec(begun.headers.getSetCookie()[0] ?? '') ?? [];
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const query = new URLSearchParams({ state, iss: own.provider, code: 'forged' });
    const comeBack = () => {
      browser.cookies.set(LOGIN, secret);
      return browser.open(`${own.broker.url}/approvals/signed-in?${query.toString()}`);
    };
    const statuses: number[] = [];
    for (let n = 0; n < 61; n += 1) statuses.push((await comeBack()).status);
    expect(statuses).toEqual([...Array<number>(60).fill(403), 429]);
    await own.broker.advance(600_000);
    expect((await comeBack()).text).toContain('has begun no login lately');
  });

  it('takes the answer of a login once: who sends it again has no session of it', async () => {
    const browser = new PlainBrowser();
    await visit(browser);
    await browser.follow('Sign in');
    const secret = browser.cookies.get(LOGIN) ?? '';
    await browser.submit({ login: 'eve.sre-oncall', password: 'x' });
    await at.catchUp();
    await browser.submit({ prompt: 'consent' });
    const cameBackTo = browser.visited.find((url) => url.includes('/signed-in?')) ?? '';
    const again = new PlainBrowser();
    again.cookies.set(LOGIN, secret);
    expect(await again.open(cameBackTo)).toMatchObject({ status: 403 });
    expect(again.cookies.has(SESSION)).toBe(false);
  });
});

describe('signing out', () => {
  it('ends the session at every broker: the old cookie opens nothing', async () => {
    const browser = await at.signedIn('ann.sre-oncall');
    const secret = browser.cookies.get(SESSION) ?? '';
    const out = await browser.submit({ form: browser.formWith({}).form.get('form') });
    expect([out.status, out.text]).toEqual([401, expect.stringContaining('Sign in to answer')]);
    expect(browser.cookies.has(SESSION)).toBe(false);
    const thief = new PlainBrowser();
    thief.cookies.set(SESSION, secret);
    expect(await visit(thief)).toMatchObject({ status: 401, text: expect.stringContaining('Sign in') });
  });
});

describe('a session', () => {
  it('lasts for 15 minutes, and not a second longer', async () => {
    const browser = await at.signedIn('eve.sre-oncall');
    await at.broker.advance(15 * 60_000 - 5_000);
    expect(await visit(browser)).toMatchObject({ status: 200 });
    await at.broker.advance(5_001);
    expect(await visit(browser)).toMatchObject({ status: 401 });
  });

  it.each(['hold', 'cutoff'])('is dead at once after a %s on the person', async (effect) => {
    const login = `bob-${effect}.sre-oncall`;
    const browser = await at.signedIn(login);
    const selector = { kind: 'principal', value: `people:${login}` };
    const revoked = await at.broker.post(
      '/revocations',
      { selector, effect, reason: 'r' },
      await at.broker.identity('soc'),
    );
    expect(revoked).toMatchObject({ status: 200 });
    const shown = await visit(browser);
    expect([shown.status, shown.text]).toEqual([403, expect.stringMatching(/A hold is in force|was cut off after/)]);
    expect(shown.text).not.toContain('Signed in as');
  });

  it.each([
    ['none', ''],
    ['one that is none', `${SESSION}=x`],
    ['one that nobody was given', `${SESSION}=${'x'.repeat(43)}`],
    ['two of the name', `${SESSION}=${'x'.repeat(43)}; ${SESSION}=${'y'.repeat(43)}`],
  ])('is needed: with %s the page asks to sign in', async (_what, cookie) => {
    const { status, text } = await at.broker.get('/approvals', undefined, { accept: 'text/html', cookie });
    expect([status, text]).toEqual([401, expect.stringContaining('Sign in to answer')]);
  });

  it('is not asked for by a link in a message, which comes without the cookie: the page loads itself again', async () => {
    const headers = { accept: 'text/html', 'sec-fetch-site': 'cross-site' };
    const { status, text } = await at.broker.get('/approvals', undefined, headers);
    expect([status, text]).toEqual([
      200,
      expect.stringContaining('<meta http-equiv="refresh" content="0;url=/approvals"'),
    ]);
  });
});

describe('a form', () => {
  let browser: PlainBrowser;
  beforeAll(async () => {
    browser = await at.signedIn('ann.sre-oncall');
  });

  it.each([
    ['without Origin', { Origin: undefined }],
    ['of another site', { Origin: 'https://evil.example' }],
    ['of a page that hides from where it comes', { Origin: 'null' }],
    ['of another port of this host', { Origin: 'http://127.0.0.1:1' }],
    ['that the browser says another site has caused', { 'Sec-Fetch-Site': 'cross-site' }],
    ['that the browser says another host of the site has caused', { 'Sec-Fetch-Site': 'same-site' }],
  ])(
    '%s is refused, with the right cookie and all it needs',
    async (_what, changed: { Origin?: string | undefined; 'Sec-Fetch-Site'?: string }) => {
      const { form } = browser.formWith({ form: '' });
      const cookie = `${SESSION}=${browser.cookies.get(SESSION) ?? ''}`;
      const headers = defined({ cookie, Origin: at.broker.url, 'Sec-Fetch-Site': 'same-origin', ...changed });
      const reply = await at.broker.send('/approvals/sign-out', { method: 'POST', headers, body: form });
      expect([reply.status, reply.text]).toEqual([
        403,
        expect.stringContaining('was not sent by a page of this broker'),
      ]);
      expect(await visit(browser)).toMatchObject({ status: 200 });
    },
  );

  it('of another session is refused: somebody has signed in as another in the other tab', async () => {
    const other = await at.signedIn('eve.sre-oncall');
    const shown = await other.submit({ form: browser.formWith({ form: '' }).form.get('form') });
    expect([shown.status, shown.text]).toEqual([403, expect.stringContaining('made for another session')]);
    expect(await visit(other)).toMatchObject({ status: 200 });
  });

  it.each([
    ['as JSON', 'application/json', 415],
    ['as text, which any site can send', 'text/plain', 415],
  ])('%s is refused', async (_what, type, status) => {
    const headers = {
      Cookie: `${SESSION}=${browser.cookies.get(SESSION) ?? ''}`,
      Origin: at.broker.url,
      'Content-Type': type,
    };
    expect(await at.broker.send('/approvals/sign-out', { method: 'POST', headers, body: '{}' })).toMatchObject({
      status,
    });
  });

  it.each([
    ['/approvals/sign-out', 'of as many fields as fit', 'a&', 400],
    ['/approvals/sign-out', 'of one long field', 'a', 403],
    ['/approvals/apr_aabbbbbbbbbbbbbb/answer', 'of as many fields as fit', 'a&', 400],
    ['/approvals/apr_aabbbbbbbbbbbbbb/close', 'of as many fields as fit', 'a&', 400],
  ])('to %s %s is refused at once', async (path, _what, noise, status) => {
    const headers = {
      Cookie: `${SESSION}=${browser.cookies.get(SESSION) ?? ''}`,
      Origin: at.broker.url,
      'Content-Type': 'application/x-www-form-urlencoded',
    };
    const body = noise.repeat(1_000 / noise.length);
    const reply = await at.broker.send(path, { method: 'POST', headers, body });
    expect([reply.status, reply.text.length < 4_000]).toEqual([status, true]);
  });

  it('after the session has ended says so, and does nothing', async () => {
    const gone = await at.signedIn('eve.sre-oncall');
    gone.cookies.delete(SESSION);
    const shown = await gone.submit({ form: gone.formWith({ form: '' }).form.get('form') });
    expect([shown.status, shown.text]).toEqual([401, expect.stringContaining('Your session is over')]);
  });
});

describe('every page', () => {
  it('allows no script, no frame, nothing from elsewhere, and is kept nowhere', async () => {
    const { headers, text } = await visit(await at.signedIn('ann.sre-oncall'));
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none';style-src 'sha256-[\w+/]{43}=';form-action 'self';base-uri 'none';frame-ancestors 'none'$/,
    );
    expect(Object.fromEntries(headers)).toMatchObject({
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      vary: 'Accept, Cookie',
    });
    expect(text).not.toMatch(/<script|<img|<iframe|\son\w+=|style="|https?:/i);
  });
});

describe('the provider', () => {
  it('that is down is named as the reason, and nothing goes round in circles', async () => {
    const down = await startApproverPage();
    await down.endProvider();
    const browser = new PlainBrowser();
    await browser.open(`${down.broker.url}/approvals`);
    const shown = await browser.follow('Sign in');
    expect([shown.status, shown.text]).toEqual([
      503,
      expect.stringContaining('The provider where approvers sign in does not'),
    ]);
    expect(shown.headers.get('retry-after')).toBe('30');
    expect(shown.headers.getSetCookie()).toEqual([]);
    expect(down.broker.logged()).toMatch(
      /"endpoint":"\/approvals\/sign-in".*"code":"temporarily_unavailable".*ECONNREFUSED/,
    );
  });
});

describe('a broker without a page', () => {
  it('has none of its paths, and answers a browser as it answers everybody', async () => {
    const broker = await startBroker();
    for (const path of ['/approvals/sign-in', '/approvals/signed-in'])
      expect(await broker.get(path, undefined, { accept: 'text/html' })).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
  });
});
