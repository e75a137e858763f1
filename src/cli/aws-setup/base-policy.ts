/** What the sessions of a role may do at most, and what none of them may. The broker narrows each session below it. */
import { GUARDS } from './guards.js';
import { policyDocument, sizeOf, type PolicyDocument, type Statement } from './policy-document.js';

/** The deny policy shares the quota of the role's inline policies, and is cut to leave this much: with less it would not be taken. */
export const BASE_POLICY_CHARACTERS_MAX = 700;

export function basePolicy(allowance: Statement): PolicyDocument {
  const document = policyDocument(allowance, ...GUARDS);
  const size = sizeOf(document);
  if (size <= BASE_POLICY_CHARACTERS_MAX) return document;
  throw new Error(
    `The base policy would have ${size} characters, and may have ${BASE_POLICY_CHARACTERS_MAX}: the rest of the role's ` +
      'quota is for revocations. Shorten it with "*", or let two roles share the work.',
  );
}
