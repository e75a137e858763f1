/** The way in and out of the page for approvers: to the provider, back from it, and out again. */
import { isId } from '../../domain/id.js';
import { BrokerError } from '../../domain/errors.js';
import type { LoginSecrets } from '../../identity/browser-login.js';
import { derived, isSecret, newSecret } from '../../keys/locked.js';
import type { HttpDeps } from '../deps.js';
import type { Answer } from '../wire/endpoint.js';
import { cookie, cookieOf, LOGIN_COOKIE, noCookie } from './cookies.js';
import { formOf } from './form.js';
import { pageOf } from './frame.js';
import { html } from './html.js';
import { browserEndpoint, formEndpoint } from './paged.js';
import { beginSession, leaveSession, SIGN_OUT } from './session.js';

const LOGIN_SECONDS = 600;
/** What the text in the cookie of a login is hidden for. */
const LOGIN = 'a login that has begun';
export const SIGNED_IN_PATH = '/approvals/signed-in';

/** Where the provider sends the browser: it must be registered there. */
export const redirectUriOf = (issuer: string): string => `${issuer}${SIGNED_IN_PATH}`;

export const signIn = (deps: HttpDeps) =>
  browserEndpoint(
    deps,
    {
      summary: 'Sends the browser to the provider where approvers sign in.',
      proof: 'none',
      page: 'Why it could not be sent there.',
    },
    async ({ query }, login) => {
      const secret = newSecret();
      const to = new URLSearchParams(query).get('to') ?? '';
      const until = deps.ledger.clock.now() + LOGIN_SECONDS * 1000;
      const value = deps.keys.hide([secret, until, ...(isId('apr', to) ? [to] : [])].join('.'), LOGIN);
      const address = await login.begin(secretsOf(secret));
      return {
        status: 303,
        headers: { Location: address.href },
        cookies: [cookie({ name: LOGIN_COOKIE, value, seconds: LOGIN_SECONDS, sameSite: 'Lax' })],
      };
    },
  );

/** All that a login needs comes of one secret in the browser: there is nothing to store, and nothing to fit together. */
const secretsOf = (secret: string): LoginSecrets => ({
  state: derived(secret, 'state'),
  nonce: derived(secret, 'nonce'),
  verifier: derived(secret, 'verifier'),
});

export const signedIn = (deps: HttpDeps) =>
  browserEndpoint(
    deps,
    {
      summary: 'Takes the browser back from the provider, and begins a session of up to 15 minutes.',
      proof: 'none',
      page: 'It goes on to what the person wanted to see, or says why they are not signed in.',
    },
    async (call, login) => {
      // Only the broker can have made it: else a browser would begin its logins itself, and each would be a request to the provider.
      const [secret = '', until, to] = (deps.keys.reveal(cookieOf(call, LOGIN_COOKIE) ?? '', LOGIN) ?? '').split('.');
      if (!isSecret(secret) || !(deps.ledger.clock.now() < Number(until)))
        throw new BrokerError('access_denied', 'This browser has begun no login lately.');
      const cameBackTo = new URL(`${redirectUriOf(deps.issuer)}?${call.query}`);
      const token = await login.finish(secretsOf(secret), cameBackTo, call.address);
      const session = await beginSession(deps, call, token);
      return welcome(to !== undefined && isId('apr', to) ? `/approvals/${to}` : '/approvals', session);
    },
  );

/** A redirect would still count as caused by the provider, and so come without the cookie. A page of ours goes on by itself. */
function welcome(goesOnTo: string, session: string): Answer {
  const page = pageOf({
    title: 'You are signed in',
    body: html`<p><a class="button" href="${goesOnTo}">Continue</a></p>`,
    goesOnTo,
    // The code in its address is told to nobody.
    headers: { 'Referrer-Policy': 'no-referrer' },
  });
  return { ...page, cookies: [session, noCookie(LOGIN_COOKIE)] };
}

export const signOut = (deps: HttpDeps) =>
  formEndpoint(
    deps,
    {
      summary: 'Ends the session of the browser.',
      raw: ['application/x-www-form-urlencoded', 'a form of the page.'],
      page: 'Why nothing was done.',
    },
    async (call, session) => {
      formOf(call, session, SIGN_OUT);
      return { status: 303, headers: { Location: '/approvals' }, cookies: [await leaveSession(deps, call)] };
    },
  );
