/** Refuses a revocation that cannot hit anything: no configured issuer could prove the workload or principal that it names. */
import type { Trust } from '../config/schema.js';
import type { Selector } from '../domain/selector.js';
import { canHitSomebody, prefixOf } from '../identity/party-from-id.js';
import { looksLikeSpiffe } from '../identity/spiffe.js';

/** @param selector Well-formed, so its value may be shown. */
export function refuseUnknownParty(selector: Selector, trust: readonly Trust[]): void {
  if (canHitSomebody(trust, selector)) return;
  const { kind, value } = selector;
  const meant = (looksLikeSpiffe(value) ? [] : trust)
    .filter((one) => one.kind === 'oidc')
    .map((one) => ({ kind, value: `${prefixOf(one)}${value}` }))
    .filter((one) => canHitSomebody(trust, one))
    .map((one) => one.value);
  const question = meant.length === 0 ? '' : ` Did you mean ${meant.join(' or ')}?`;
  throw new Error(
    `A ${kind} is written <trust name>:<sub>, or spiffe://<trust domain>/<path>, of a configured issuer; ${value} would hit nobody.${question}` +
      ' What an issuer proved that is no longer configured is revoked by issuer.',
  );
}
