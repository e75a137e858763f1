/**
 * A query as another engine is told of it. The names are those of docs/policy.md, and a contract like them: what is not written out
 * here is never sent, so no token, session or proof of anybody leaves the broker.
 */
import type { Target } from '../../config/schema.js';
import { covers, isPattern, overlaps, sensitivityOf } from '../../domain/access.js';
import { defined } from '../../domain/defined.js';
import type { Given, KnownClaims, PartyRef, RememberedPerson } from '../../domain/party.js';
import type {
  AccessContext,
  ApprovalFacts,
  Delegation,
  OperateContext,
  PolicyQuery,
  PolicyResource,
  TaskFacts,
} from '../query.js';

/** The facts about a target that are told. */
export type ToldTarget = Pick<Target, 'resource' | 'labels' | 'tags'>;

export interface Question {
  principal: ToldParty & Known;
  action: string;
  resource: ToldResource;
  context: Readonly<Record<string, unknown>>;
}

interface ToldParty {
  type: PartyRef['kind'];
  id: string;
  issuer: string;
  owner?: string;
}

/** What the own token of a party says. */
interface Known {
  groups: readonly string[];
  claims: NonNullable<KnownClaims['claims']>;
  unread: readonly string[];
}

export type ToldResource = { type: PolicyResource['type'] } & Readonly<Record<string, unknown>>;

export function questionOf(
  { principal, action, resource, context }: PolicyQuery,
  targets: ReadonlyMap<string, ToldTarget>,
): Question {
  return {
    principal: known(principal),
    action,
    resource: toldResource(resource, targets),
    context: context.kind === 'access' ? accessContext(context) : operateContext(context),
  };
}

const told = ({ kind: type, id, issuer, owner }: PartyRef): ToldParty => defined({ type, id, issuer, owner });

const known = (party: RememberedPerson): ToldParty & Known => ({
  ...told(party),
  groups: party.groups ?? [],
  ...said(party),
});

const said = ({ claims = {}, unread = [] }: KnownClaims) => ({ claims, unread });

function toldResource(resource: PolicyResource, targets: ReadonlyMap<string, ToldTarget>): ToldResource {
  switch (resource.type) {
    case 'resource': {
      const { target, path } = resource;
      const pattern = isPattern(path);
      const { labels = [], tags = {} } = targets.get(target) ?? {};
      // A pattern has every label that it touches: a rule about a label holds for it without knowing what a pattern is.
      const sensitivity = sensitivityOf(labels, (match) => (pattern ? overlaps : covers)(match, path));
      return { type: 'resource', target, path, pattern, sensitivity, tags };
    }
    case 'target':
      return { type: 'target', target: resource.target, tags: targets.get(resource.target)?.tags ?? {} };
    case 'task':
      return { type: 'task', ...toldTask(resource.task) };
    case 'approval':
      return { type: 'approval', ...toldApproval(resource.approval) };
    case 'broker':
      return resource;
  }
}

const toldApproval = ({ id, group, workload, onBehalfOf, target, access, purpose }: ApprovalFacts) =>
  defined({
    id,
    group,
    workload: told(workload),
    onBehalfOf: onBehalfOf && known(onBehalfOf),
    target,
    access,
    purpose,
  });

/** A task that is about to be opened has no id yet. No real id reads "new". */
const toldTask = ({ id = 'new', workload, purpose, openedBy }: TaskFacts) =>
  defined({ id, workload: told(workload), purpose, openedBy: openedBy && told(openedBy) });

const accessContext = (context: AccessContext) =>
  defined({
    purpose: context.purpose,
    purposeFrom: context.purposeFrom,
    lifetimeSeconds: context.lifetimeSeconds,
    onBehalfOf: context.onBehalfOf && known(context.onBehalfOf),
    principalProven: context.principalProven,
    openedBy: context.openedBy && told(context.openedBy),
    ...delegation(context),
    approvals: context.approvals,
    risk: context.risk,
    given: context.given && toldGiven(context.given),
  });

const delegation = ({ delegationDepth, delegatedBy, chain }: Delegation) => ({
  delegationDepth,
  delegatedBy: delegatedBy && told(delegatedBy),
  chain: chain.map(told),
  chainOwners: [...new Set(chain.flatMap(({ owner }) => owner ?? []))],
});

const toldGiven = ({ subject, action, resource, context }: Given) => ({
  subject: said(subject),
  action: said(action),
  resource: said(resource),
  context: said(context),
});

const operateContext = ({ revocation, run, opening, emergency }: OperateContext) =>
  defined({
    kind: revocation?.kind,
    value: revocation?.value,
    effect: revocation?.effect,
    dryRun: revocation?.dryRun,
    issuer: run?.issuer,
    run: run?.run,
    own: run?.own ?? emergency?.own,
    lifetimeSeconds: opening?.lifetimeSeconds,
    onBehalfOf: opening?.onBehalfOf && known(opening.onBehalfOf),
    principalProven: opening?.principalProven,
    ...(opening && defined(delegation(opening))),
  });
