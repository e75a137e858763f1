/** The form of POST /token that hands a credential on: `exchange(credential, handingOn(identity))`. */

export const JWT = 'urn:ietf:params:oauth:token-type:jwt';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** What else `exchange` would send is as in the credential. */
export const HANDED_ON = {
  subject_token_type: ACCESS_TOKEN,
  purpose: undefined,
  resource: undefined,
  scope: undefined,
} as const;

/** @param actor an identity token of whoever gets it */
export const handingOn = (actor: string, wish: Record<string, string | undefined> = {}) => ({
  ...HANDED_ON,
  actor_token: actor,
  actor_token_type: JWT,
  ...wish,
});
