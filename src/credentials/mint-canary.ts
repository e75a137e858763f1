/**
 * Mints a canary: a token like any other, by the minter itself, of a credential that nobody was granted. Its signature is
 * a decoy (keys/decoy-signer.ts): it looks like a real token, and no verifier accepts it. Any use of it is an alarm.
 */
import type { AuditLog } from '../audit/log.js';
import type { Config } from '../config/schema.js';
import type { Credential } from '../domain/credential.js';
import { defined } from '../domain/defined.js';
import { sha256 } from '../domain/digest.js';
import { newId, shardOf } from '../domain/id.js';
import { formatEpoch } from '../domain/liveness.js';
import type { PartyRef } from '../domain/party.js';
import { EVERYTHING } from '../domain/selector.js';
import type { Task } from '../domain/task.js';
import { withoutTokens } from '../domain/token-in-text.js';
import { joined } from '../identity/lasting-id.js';
import { hasSubjects, partyFromId, prefixOf, representedBy } from '../identity/party-from-id.js';
import { putCanary, type Canary } from '../ledger/canaries.js';
import type { Ledger } from '../ledger/ledger.js';
import { tasksUnder } from '../ledger/tasks-under.js';
import { readTask } from '../ledger/tasks.js';
import type { Minter } from '../minters/minter.js';
import { accessTokenOf } from '../targets/kinds.js';

interface CanaryDeps {
  ledger: Ledger;
  audit: Pick<AuditLog, 'append'>;
  config: Pick<Config, 'trust' | 'targets' | 'purposes' | 'lifetimes'>;
  /** Mints what can be checked offline, with decoy signatures. The canary is of its kind. */
  minter: Minter;
  /** The actor of the audit entry. */
  actor: string;
}

interface CanaryRequest {
  label: string;
  /** Until then its use is an alarm. What the token says of its expiry is another matter: there it reads like a credential. */
  watchedUntil: number;
  target?: string;
  /** The task and the workload that an alarm about the canary names. */
  task?: string;
  workload?: string;
}

/** Returns the token, which is stored nowhere. */
export async function mintCanary(deps: CanaryDeps, request: CanaryRequest): Promise<string> {
  const { ledger, audit, minter, actor } = deps;
  const { credential, task, names } = await draftCanary(deps, request);
  const token = accessTokenOf((await minter.mint(credential, task)).material);
  const { target, issuedAt: mintedAt } = credential;
  const expiresAt = request.watchedUntil;
  // The canary is stored before the token is returned: a canary that no broker looks for would never raise an alarm.
  const canary: Canary = {
    hash: sha256(token),
    label: withoutTokens(request.label),
    target,
    mintedAt,
    expiresAt,
    ...names,
  };
  await putCanary(ledger, canary);
  await audit.append({
    type: 'canary.minted',
    at: mintedAt,
    actor: { id: actor },
    target,
    ...names,
    expiresAt,
    ticket: request.label,
  });
  return token;
}

/**
 * Returns the credential and its task, of which the ledger has no record. `names`: the task and the workload that an alarm
 * names.
 */
async function draftCanary(
  { ledger, config, minter }: CanaryDeps,
  request: CanaryRequest,
): Promise<{ credential: Credential; task: Task; names: Pick<Canary, 'task' | 'workload'> }> {
  const now = ledger.clock.now();
  const bound = request.task === undefined ? undefined : await openTask(ledger, request.task, request.workload);
  const named = () => partyFromId(config.trust, 'workload', request.workload ?? madeUpWorkload(config));
  const workload = bound?.workload ?? (await withTeam(ledger, config, named()));
  const expiresAt = now + config.lifetimes.credential * 1000;
  const epoch = formatEpoch((await ledger.log.look([])).epoch);
  const task: Task = {
    id: newId('tsk'),
    lineage: [],
    workload,
    purpose: purposeIn(config),
    purposeFrom: 'agent',
    openedAt: now,
    deadline: expiresAt,
    epoch,
    credentials: [],
    suspensions: 0,
    suspended: false,
    revision: 0,
  };
  const credential: Credential = {
    id: newId('crd', shardOf(task.id)),
    task: task.id,
    kind: minter.kind,
    target: targetIn(config, minter.kind, request.target),
    ...runOf(config, workload),
    state: 'active',
    // The access is wide, so that a thief tries the token.
    access: [{ path: '**', actions: ['read'] }],
    issuedAt: now,
    expiresAt,
    epoch,
  };
  const isNamed = bound !== undefined || request.workload !== undefined;
  return { credential, task, names: defined({ task: request.task, workload: isNamed ? workload.id : undefined }) };
}

/** Returns the workload with a team, where the issuer names one: a token without it would be no token of this issuer. */
async function withTeam(ledger: Ledger, { trust }: CanaryDeps['config'], workload: PartyRef): Promise<PartyRef> {
  const issuer = trust.find(({ name }) => name === workload.issuer);
  if (!issuer?.owner || workload.owner !== undefined) return workload;
  for await (const page of tasksUnder(ledger, EVERYTHING)) {
    const owner = page.find((task) => task.workload.issuer === issuer.name)?.workload.owner;
    if (owner !== undefined) return { ...workload, owner };
  }
  return { ...workload, owner: MADE_UP_TEAM };
}

/** Returns a subject where the credentials of the issuer have one: they hang on one thing more, and tokens show how many there are. */
function runOf({ trust }: CanaryDeps['config'], { id, issuer, subject }: PartyRef): Pick<Credential, 'subject'> {
  const entry = trust.find(({ name }) => name === issuer);
  return entry && hasSubjects(entry) ? { subject: subject ?? `${id}:1` } : {};
}

const MADE_UP_TEAM = 'platform';

/** An alarm names task and workload together. If the task belonged to another workload, the pair would name nobody. */
async function openTask(ledger: Ledger, id: string, workload: string | undefined): Promise<Task> {
  const task = (await readTask(ledger, id))?.value;
  if (!task) throw new Error(`There is no task ${id}.`);
  if (workload !== undefined && task.workload.id !== workload)
    throw new Error(`The task belongs to workload ${task.workload.id}.`);
  return task;
}

function targetIn({ targets }: CanaryDeps['config'], kind: string, resource: string | undefined): string {
  const ofKind = targets.filter(({ minter }) => minter === kind);
  const found = resource === undefined ? ofKind[0] : ofKind.find((target) => target.resource === resource);
  if (!found) throw new Error(`The configuration has no such target of kind ${kind}.`);
  return found.resource;
}

const purposeIn = ({ purposes }: CanaryDeps['config']): string => Object.keys(purposes ?? {})[0] ?? 'nightly export';

/** Returns the id of a workload that a configured issuer could prove. */
function madeUpWorkload({ trust }: CanaryDeps['config']): string {
  const issuer = trust.find((one) => representedBy(one) === 'workload');
  if (!issuer) throw new Error('No `trust` entry represents workloads.');
  const values = issuer.kind === 'oidc' ? issuer.workload : [''];
  return `${prefixOf(issuer)}${joined(values.map(() => 'backup'))}`;
}
