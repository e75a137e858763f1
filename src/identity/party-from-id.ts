/** Which configured issuer could prove an id that somebody merely names. An id that no issuer could prove is a mistake. */
import type { OidcTrust, Trust } from '../config/trust-schema.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { CLAIM_CHARACTERS_MAX, isName, nameProblem } from '../domain/name.js';
import { emailValue, prefixOf, type PartyRef } from '../domain/party.js';
import type { Selector } from '../domain/selector.js';
import { trustDomainOf } from '../domain/spiffe-id.js';
import { hasLastingIds, isSubjectName, separated } from './lasting-id.js';
import { looksLikeSpiffe } from './spiffe.js';

/**
 * Returns the party with this id, as far as the configuration knows it. Throws `invalid_request` when no issuer could prove
 * it.
 */
export function partyFromId(trust: readonly Trust[], kind: PartyRef['kind'], id: string): PartyRef {
  const problem = nameProblem(id);
  if (problem !== undefined) throw new BrokerError('invalid_request', `The id of the ${kind} ${problem}.`);
  const issuer = trust.find((one) => canProve(one, kind, id));
  if (!issuer) {
    throw new BrokerError(
      'invalid_request',
      `No configured issuer can prove that ${kind}: an id reads <trust name>:<subject> or spiffe://….`,
    );
  }
  const owner = issuer.owner && 'value' in issuer.owner ? issuer.owner.value : undefined;
  return defined({ kind, id, issuer: issuer.name, owner });
}

/**
 * Returns whether the selector could hit anything: false for an issuer that is not configured, and for a workload, subject,
 * run, principal or session that no configured issuer could prove.
 */
export function canHitSomebody(trust: readonly Trust[], { kind, value }: Selector): boolean {
  switch (kind) {
    case 'workload':
      return couldBe(trust, 'workload', value);
    case 'run':
      return trust.some((one) => couldHaveRun(one, value));
    case 'subject':
      return trust.some((one) => couldHaveSubject(one, value));
    // A workload that serves nobody else is its own principal.
    case 'principal':
      return trust.some((one) => couldProve(one, value) || couldHaveAddress(one, value));
    case 'session':
      return trust.some((one) => couldHaveSession(one, value));
    case 'issuer':
      return trust.some(({ name }) => name === value);
    default:
      return true;
  }
}

/** Returns whether the id could be that of a workload, or a person, whom a configured issuer can prove. */
export const couldBe = (trust: readonly Trust[], kind: PartyRef['kind'], id: string): boolean =>
  trust.some((one) => canProve(one, kind, id));

const canProve = (one: Trust, kind: PartyRef['kind'], id: string): boolean =>
  representedBy(one) === kind && couldProve(one, id);

/**
 * Returns what every `principal` value of this issuer begins with: its ids, and the addresses that its tokens give to
 * persons.
 */
export const principalStarts = (trust: Trust): string[] =>
  trust.kind === 'spiffe' ? [prefixOf(trust)] : [prefixOf(trust), emailValue(trust.name, '')];

const representedBy = (trust: Trust): PartyRef['kind'] => (trust.kind === 'spiffe' ? 'workload' : trust.represents);

/** Returns whether the door would take a token of this issuer with this id. */
function couldProve(trust: Trust, id: string): boolean {
  if (trust.kind === 'spiffe') return trustDomainOf(id) === trust.trustDomain;
  const rest = restAfter(prefixOf(trust), id);
  const values = trust.represents === 'workload' ? separated(rest, trust.workload.length) : [rest];
  const areNames = [rest, ...(values ?? [''])].every((text) => isName(text, CLAIM_CHARACTERS_MAX));
  return areNames && !looksLikeSpiffe(rest);
}

/** Only where ids are made of other claims is a subject something else than an id. */
export const hasSubjects = (trust: Trust): trust is OidcTrust =>
  trust.kind === 'oidc' && trust.represents === 'workload' && hasLastingIds(trust);

function couldHaveSubject(trust: Trust, value: string): boolean {
  const subject = restAfter(prefixOf(trust), value);
  return hasSubjects(trust) && isName(value) && isSubjectName(subject) && !looksLikeSpiffe(subject);
}

const couldHaveRun = (trust: Trust, value: string): boolean =>
  trust.kind === 'oidc' &&
  trust.represents === 'workload' &&
  isName(restAfter(prefixOf(trust), value), CLAIM_CHARACTERS_MAX);

/** Only the tokens of persons say a session (`sid`). */
const couldHaveSession = (trust: Trust, value: string): boolean =>
  hasSessions(trust) && isName(restAfter(prefixOf(trust), value), CLAIM_CHARACTERS_MAX);

export const hasSessions = (trust: Trust): trust is OidcTrust => trust.kind === 'oidc' && trust.represents === 'person';

/** Persons have an address if their tokens' claim `email` is read. Addresses are compared in lower case (`emailValue`). */
const couldHaveAddress = (trust: Trust, value: string): boolean =>
  hasSessions(trust) &&
  trust.claims.includes('email') &&
  value === value.toLowerCase() &&
  isName(restAfter(emailValue(trust.name, ''), value), CLAIM_CHARACTERS_MAX);

/** Returns the empty text, which is no name, when the text begins with something else. */
const restAfter = (start: string, text: string): string => (text.startsWith(start) ? text.slice(start.length) : '');
