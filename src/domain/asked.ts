/**
 * What a request for a credential asks people about, as a digest. Two requests that differ in anything that would matter to an approver
 * have different digests, so a yes to the one is none to the other.
 */
import { normalise, type Access, type TargetAccess } from './access.js';
import { sha256, sha256Bytes } from './digest.js';
import { shardOfDigest, type Shard } from './id.js';
import type { PartyRef } from './party.js';
import type { Task } from './task.js';

/** What is asked for, under whichever task. */
export interface Asked {
  target: string;
  access: readonly Access[];
  /** As the request said it: what it gets by default may change while people think. */
  lifetimeSeconds?: number | undefined;
  tokenType?: string | undefined;
}

/** What a request says of the task that it opens. */
interface AskedOpening {
  workload: PartyRef;
  principal?: PartyRef | undefined;
  purpose: string;
  purposeFrom: Task['purposeFrom'];
  ceiling?: readonly TargetAccess[] | undefined;
  /** The id of the credential that was handed on. */
  handed?: string | undefined;
  /** What else leads the next request to the task: its run, or its Idempotency-Key. */
  led?: string | undefined;
}

/** Returns the digest of what is asked under this task. The record of the task says who asks, for whom, and for what purpose. */
export const digestUnder = ({ id, workload, principal }: Pick<Task, 'id' | 'workload' | 'principal'>, asked: Asked) =>
  sha256(JSON.stringify(['task', id, partyText(workload), partyText(principal), askedText(asked)]));

/** Returns the digest of a request that opens its task, and the shard in which that task is born if nothing else says where. */
export function digestOpening(opening: AskedOpening, asked: Asked): { digest: string; shard: Shard } {
  const { workload, principal, purpose, purposeFrom, ceiling, handed, led } = opening;
  const said = [purpose, purposeFrom, ceiling ? ceilingText(ceiling) : null, handed ?? null, led ?? null];
  const text = JSON.stringify(['opening', partyText(workload), partyText(principal), said, askedText(asked)]);
  return { digest: sha256(text), shard: shardOfDigest(sha256Bytes(text)) };
}

const partyText = (party: PartyRef | undefined) => (party ? [party.kind, party.issuer, party.id] : null);

const askedText = ({ target, access, lifetimeSeconds, tokenType }: Asked) => [
  target,
  accessText(access),
  lifetimeSeconds ?? null,
  tokenType ?? null,
];

/** The order in which it is written means nothing. */
const accessText = (access: readonly Access[]) =>
  normalise(access)
    .map(({ path, actions }) => [path, actions.toSorted()] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));

const ceilingText = (ceiling: readonly TargetAccess[]) =>
  [...new Set(ceiling.map(({ target }) => target))]
    .toSorted()
    .map((target) => [target, accessText(ceiling.filter((one) => one.target === target))]);
