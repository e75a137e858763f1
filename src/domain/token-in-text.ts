/** Tokens where they do not belong: people paste what leaked into a reason or a selector, and those are kept and shown. */

/** A compact JWS or JWE, wherever in a text it stands: its header is a JSON object, so it begins `eyJ`. */
const TOKEN = /eyJ[\w-]*(?:\.[\w-]*){2,4}/g;

export const withoutTokens = (text: string): string =>
  text.includes('eyJ') ? text.replace(TOKEN, '[token removed]') : text;

export const holdsToken = (text: string): boolean => withoutTokens(text) !== text;
