/** Refuses to revoke what can hit nobody: the id of a party that no trust entry of the configuration could have named. */
import type { Selector } from '../domain/selector.js';

interface Trust {
  name: string;
  kind: 'oidc' | 'spiffe';
}

const SPIFFE = 'spiffe://';

/** @param selector Well-formed: whatever stands in it may be shown. */
export function refuseUnknownParty({ kind, value }: Selector, trust: readonly Trust[]): void {
  if (kind !== 'workload' && kind !== 'principal') return;
  const prefixes = trust.filter((entry) => entry.kind === 'oidc').map(({ name }) => `${name}:`);
  if (value.startsWith(SPIFFE) || prefixes.some((prefix) => value.startsWith(prefix))) return;
  const meant = prefixes.map((prefix) => `${prefix}${value}`).join(' or ');
  const question = meant === '' ? '' : ` Did you mean ${meant}?`;
  throw new Error(`A ${kind} is written <trust name>:<sub>, or ${SPIFFE}…; ${value} would hit nobody.${question}`);
}
