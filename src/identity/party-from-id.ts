/** Which configured issuer could prove an id that somebody merely names. An id that no issuer could prove is a mistake. */
import type { Trust } from '../config/schema.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { emailValue, type PartyRef } from '../domain/party.js';
import type { Selector } from '../domain/selector.js';

const ID_CHARACTERS_MAX = 2048;

/**
 * Returns the party with this id, as far as the configuration knows it. Throws `invalid_request` when no issuer could prove
 * it.
 */
export function partyFromId(trust: readonly Trust[], kind: PartyRef['kind'], id: string): PartyRef {
  const issuer = trust.find((one) => representedBy(one) === kind && hasStart(id, prefixOf(one)));
  if (!issuer || id.length > ID_CHARACTERS_MAX) {
    throw new BrokerError(
      'invalid_request',
      `No configured issuer can prove that ${kind}: an id reads <trust name>:<subject> or spiffe://….`,
    );
  }
  const owner = issuer.owner && 'value' in issuer.owner ? issuer.owner.value : undefined;
  return defined({ kind, id, issuer: issuer.name, owner });
}

/**
 * Returns whether the selector could hit anything: false for a workload or principal that no configured issuer could prove.
 */
export function canHitSomebody(trust: readonly Trust[], { kind, value }: Selector): boolean {
  switch (kind) {
    case 'workload':
      return trust.some((one) => representedBy(one) === 'workload' && hasStart(value, prefixOf(one)));
    // A workload that serves nobody else is its own principal.
    case 'principal':
      return trust.some((one) => principalStarts(one).some((start) => hasStart(value, start)));
    default:
      return true;
  }
}

/** Returns what every id begins with that this issuer can prove. */
export const prefixOf = (trust: Trust): string =>
  trust.kind === 'spiffe' ? `spiffe://${trust.trustDomain}/` : `${trust.name}:`;

/**
 * Returns what every `principal` value of this issuer begins with: its ids, and the addresses that its tokens give to
 * persons.
 */
export const principalStarts = (trust: Trust): string[] =>
  trust.kind === 'spiffe' ? [prefixOf(trust)] : [prefixOf(trust), emailValue(trust.name, '')];

export const representedBy = (trust: Trust): PartyRef['kind'] =>
  trust.kind === 'spiffe' ? 'workload' : trust.represents;

const hasStart = (text: string, start: string): boolean => text.startsWith(start) && text.length > start.length;
