/** Endpoints for browsers: what they refuse is a page too, and is counted and logged like every refusal. */
import { BrokerError } from '../../domain/errors.js';
import type { BrowserLogin } from '../../identity/browser-login.js';
import type { HttpDeps } from '../deps.js';
import { described, type Contract, type Described } from '../wire/contract.js';
import type { Answer, Call } from '../wire/endpoint.js';
import { publicError } from '../wire/refusal.js';
import { statusOf, wireErrorOf } from '../wire/wire-errors.js';
import { pageOf } from './frame.js';
import { html } from './html.js';
import { sessionOf, type Session } from './session.js';

/** What shows or does something for whoever has signed in. */
export type ForSession = (call: Call, session: Session) => Promise<Answer>;

type PageContract = Pick<Contract, 'summary' | 'needs' | 'path' | 'raw' | 'refusals'> & { page: string };

/** Returns an endpoint that only browsers use. Where no page is configured, it does not exist. */
export function browserEndpoint(
  { login }: HttpDeps,
  contract: Omit<Contract, 'answers'>,
  handle: (call: Call, login: BrowserLogin) => Promise<Answer>,
): Described {
  const refusals = ['not_found', ...(contract.refusals ?? [])] as const;
  return described({ ...contract, refusals, answers: { 303: {} } }, (call) =>
    login ? orRefusal(() => handle(call, login)) : Promise.reject(noPage()),
  );
}

/** Returns an endpoint that takes a form of the page. */
export const formEndpoint = (deps: HttpDeps, contract: PageContract, act: ForSession): Described =>
  browserEndpoint(deps, { ...contract, proof: 'session' }, async (call) => {
    assertOwnForm(deps, call);
    const session = await sessionOf(deps, call);
    if (!session)
      throw new BrokerError('invalid_token', 'Your session is over. Nothing was done: sign in, and answer again.');
    return act(call, session);
  });

/** Returns a page for whoever has signed in, or the one that asks to sign in. */
export const shown = (deps: HttpDeps, call: Call, show: ForSession): Promise<Answer> =>
  orRefusal(async () => {
    const session = await sessionOf(deps, call);
    return session ? show(call, session) : withoutSession(call);
  });

const noPage = () => new BrokerError('not_found', 'There is no page for approvers here.');

/**
 * A form is taken from our own pages alone: a browser says from where it comes, and no script of another site can change that. What
 * does not say it is no browser that a person sits at.
 */
function assertOwnForm({ issuer }: Pick<HttpDeps, 'issuer'>, { headers }: Call): void {
  const site = headers['sec-fetch-site'] ?? 'same-origin';
  if (headers.origin === issuer && site === 'same-origin') return;
  throw new BrokerError('access_denied', 'This form was not sent by a page of this broker. Nothing was done.');
}

/**
 * A link in a message is followed without the cookie, because another site has caused the request (`SameSite=Strict`). So the page
 * first loads itself again, which the browser then counts as ours.
 */
function withoutSession({ path, headers }: Call): Answer {
  if (headers['sec-fetch-site'] === 'cross-site')
    return pageOf({ title: 'One moment', body: html`<p><a href="${path}">Continue</a></p>`, goesOnTo: path });
  return signInPage(path);
}

const signInPage = (path: string): Answer =>
  pageOf({
    status: 401,
    title: 'Sign in to answer',
    body: html`<p>Agents ask here for what they may not do without the yes of a person.</p>
      ${signInLink(path)}`,
  });

const signInLink = (path = '/approvals') =>
  html`<p><a class="button" href="/approvals/sign-in?to=${path.slice('/approvals/'.length)}">Sign in</a></p>`;

async function orRefusal(handle: () => Promise<Answer>): Promise<Answer> {
  try {
    return await handle();
  } catch (thrown) {
    return refusalPage(publicError(thrown));
  }
}

function refusalPage(refusal: BrokerError): Answer {
  const { code, message, details } = refusal;
  const wait = details.retryAfterSeconds;
  const answer = pageOf({
    status: statusOf(code, 'problem'),
    title: wireErrorOf(code).title,
    body: html`<p role="alert">${message}</p>
      ${code === 'invalid_token' || code === 'access_denied' ? signInLink() : undefined}
      <p><a href="/approvals">To all that waits</a></p>`,
    headers: wait === undefined ? {} : { 'Retry-After': String(wait) },
  });
  return { ...answer, refusal };
}
