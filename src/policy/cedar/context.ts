/** Builds the Cedar context of a query under given terms. It has exactly the attributes of the schema, with their types. */
import { defined } from '../../domain/defined.js';
import type { PartyRef } from '../../domain/party.js';
import type { AccessContext, Delegation, OperateContext, PolicyQuery } from '../query.js';
import type { CedarValueJson, Context } from './cedar-wasm.js';
import { givenReferences, ownerReference, partyReference } from './entities.js';
import type { Terms } from './ways-out.js';

/** Returns the terms that the query asks for: those parts of it that a way out can change. */
export function termsOf({ context }: PolicyQuery): Terms {
  return context.kind === 'access'
    ? { lifetimeSeconds: context.lifetimeSeconds, approvals: context.approvals }
    : { lifetimeSeconds: context.opening?.lifetimeSeconds };
}

/**
 * Returns the context of the query; undefined when the query serves another workload: the schema has no attribute for that,
 * so it cannot be permitted.
 */
export function contextOf(query: PolicyQuery, terms: Terms): Context | undefined {
  const { context } = query;
  const served = context.kind === 'access' ? context.onBehalfOf : context.opening?.onBehalfOf;
  if (served?.kind === 'workload') return undefined;
  return context.kind === 'access' ? accessContext(context, terms) : operateContext(context, terms);
}

function accessContext(context: AccessContext, { lifetimeSeconds, approvals }: Terms): Context {
  return {
    purpose: context.purpose,
    purposeFrom: context.purposeFrom,
    lifetimeSeconds: lifetimeSeconds ?? context.lifetimeSeconds,
    ...delegation(context),
    approvals: [...(approvals ?? context.approvals)],
    risk: context.risk,
    ...person(context.onBehalfOf),
    principalProven: context.principalProven,
    ...(context.given && { given: givenReferences(context.given) }),
    ...(isWorkload(context.openedBy) && { openedBy: partyReference(context.openedBy) }),
  };
}

function operateContext({ revocation, run, emergency, opening }: OperateContext, { lifetimeSeconds }: Terms): Context {
  return defined({
    kind: revocation?.kind,
    value: revocation?.value,
    effect: revocation?.effect,
    dryRun: revocation?.dryRun,
    ...run,
    ...emergency,
    ...(opening && {
      lifetimeSeconds: lifetimeSeconds ?? opening.lifetimeSeconds,
      principalProven: opening.principalProven,
      ...person(opening.onBehalfOf),
      ...delegation(opening),
    }),
  });
}

const delegation = ({ delegationDepth, delegatedBy, chain }: Delegation): Record<string, CedarValueJson> => ({
  delegationDepth,
  chain: chain.filter(isWorkload).map(partyReference),
  chainOwners: ownersOf(chain).map(ownerReference),
  ...(isWorkload(delegatedBy) && { delegatedBy: partyReference(delegatedBy) }),
});

const ownersOf = (chain: readonly PartyRef[]): string[] => [...new Set(chain.flatMap(({ owner }) => owner ?? []))];

const isWorkload = (party: PartyRef | undefined): party is PartyRef => party?.kind === 'workload';

const person = (party: PartyRef | undefined): Record<string, CedarValueJson> =>
  party ? { onBehalfOf: partyReference(party) } : {};
