/**
 * The session of a person on the page. The browser has a secret, the store has the ID token in a box that this secret opens: so
 * every request is judged by the same token, and by the same `identify`, as if it had been sent as a bearer token.
 */
import { z } from 'zod';
import { assertLiveCaller } from '../../authorization/caller.js';
import { BrokerError } from '../../domain/errors.js';
import { MINUTE_MS, toSeconds } from '../../domain/time.js';
import type { AuthenticatedCaller } from '../../identity/proof.js';
import { derived, isSecret, lock, newSecret, tagFor, unlock } from '../../keys/locked.js';
import { endSession, keepSession, readSession } from '../../ledger/sessions.js';
import type { HttpDeps } from '../deps.js';
import type { Call } from '../wire/endpoint.js';
import { noting } from '../wire/noted.js';
import { cookie, cookieOf, noCookie, SESSION_COOKIE } from './cookies.js';

/** Whoever finds an unlocked telephone has no more time than this, and less where the provider says less. */
const SESSION_MS = 15 * MINUTE_MS;

const boxSchema = z.strictObject({ token: z.string(), until: z.number() });

export interface Session {
  caller: AuthenticatedCaller;
  /** Returns what a form about this must carry. No other session, and no page about anything else, has it. */
  formToken: (about: string) => string;
}

/** What the form for signing out is about. */
export const SIGN_OUT = 'sign-out';

/** Who is signed in, as every page says it. */
export const personOf = ({ caller, formToken }: Session) => ({ id: caller.party.id, formToken: formToken(SIGN_OUT) });

/**
 * Begins a session for whom the ID token names. Returns the cookie. Throws where `identify` refuses the token, or where the person is
 * held or cut off.
 */
export async function beginSession(deps: HttpDeps, call: Call, token: string): Promise<string> {
  const caller = await noting(deps, call)(token, { use: 'bearer' }).catch((error: unknown) => {
    if (!(error instanceof BrokerError) || error.code !== 'invalid_token') throw error;
    const text = `The provider has signed you in, and who you are is not accepted here. ${error.message}`;
    throw new BrokerError('access_denied', text, { cause: error });
  });
  await assertLiveCaller(deps, caller);
  const now = deps.ledger.clock.now();
  const until = Math.min(now + SESSION_MS, caller.expiresAt);
  const secret = newSecret();
  const box = await lock(secret, JSON.stringify({ token, until } satisfies z.infer<typeof boxSchema>));
  await keepSession(deps.ledger, { id: derived(secret, 'session'), box, until });
  const seconds = Math.max(1, toSeconds(until - now));
  return cookie({ name: SESSION_COOKIE, value: secret, seconds, sameSite: 'Strict' });
}

/** Returns the session of the browser; undefined where there is none, or none any more. A person who is held or cut off is refused. */
export async function sessionOf(deps: HttpDeps, call: Call): Promise<Session | undefined> {
  const secret = cookieOf(call, SESSION_COOKIE);
  if (secret === undefined || !isSecret(secret)) return undefined;
  const kept = await readSession(deps.ledger, derived(secret, 'session'));
  const opened = kept === undefined ? undefined : await unlock(secret, kept);
  if (opened === undefined) return undefined;
  const { token, until } = boxSchema.parse(JSON.parse(opened));
  if (deps.ledger.clock.now() >= until) return undefined;
  const caller = await noting(deps, call)(token, { use: 'bearer' }).catch((error: unknown) => {
    // The provider has changed its keys, or the configuration no longer trusts it: the session is over.
    if (error instanceof BrokerError && error.code === 'invalid_token') return undefined;
    throw error;
  });
  if (!caller) return undefined;
  await deps.assertWithinRate(caller.party);
  await assertLiveCaller(deps, caller);
  return { caller, formToken: (about) => tagFor(secret, 'form', about) };
}

/** Ends the session of the browser, at every broker. Returns the cookie that removes its cookie. */
export async function leaveSession(deps: Pick<HttpDeps, 'ledger'>, call: Call): Promise<string> {
  const secret = cookieOf(call, SESSION_COOKIE);
  if (secret !== undefined && isSecret(secret)) await endSession(deps.ledger, derived(secret, 'session'));
  return noCookie(SESSION_COOKIE);
}
