/**
 * Mints a canary: a token by the minter itself, of a credential that nobody was granted, made like one that somebody was. Its
 * signature is a decoy (keys/decoy-signer.ts): it looks like a real token, and no verifier accepts it. Any use of it is an alarm.
 */
import type { AuditLog } from '../audit/log.js';
import type { Config } from '../config/schema.js';
import type { Credential } from '../domain/credential.js';
import { defined } from '../domain/defined.js';
import { sha256 } from '../domain/digest.js';
import { newId, shardOf } from '../domain/id.js';
import { formatEpoch } from '../domain/liveness.js';
import type { PartyRef } from '../domain/party.js';
import { EVERYTHING, type Selector } from '../domain/selector.js';
import type { Task } from '../domain/task.js';
import { withoutTokens } from '../domain/token-in-text.js';
import { partyFromId } from '../identity/party-from-id.js';
import { putCanary, type Canary } from '../ledger/canaries.js';
import { readCredentials, type Found } from '../ledger/credentials.js';
import type { Ledger } from '../ledger/ledger.js';
import { tasksUnder } from '../ledger/tasks-under.js';
import { readTask } from '../ledger/tasks.js';
import type { Minter } from '../minters/minter.js';
import { accessTokenOf } from '../targets/kinds.js';

interface CanaryDeps {
  ledger: Ledger;
  audit: Pick<AuditLog, 'append'>;
  config: Pick<Config, 'trust' | 'targets' | 'lifetimes'>;
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
 * names. Workload, purpose and access are those of a real one: any that all canaries had would tell thieves, who read this file,
 * what is a canary.
 */
async function draftCanary(
  { ledger, config, minter }: CanaryDeps,
  request: CanaryRequest,
): Promise<{ credential: Credential; task: Task; names: Pick<Canary, 'task' | 'workload'> }> {
  const now = ledger.clock.now();
  const target = targetIn(config, minter.kind, request.target);
  const bound = request.task === undefined ? undefined : await openTask(ledger, request.task, request.workload);
  const named =
    bound?.workload ??
    (request.workload === undefined ? undefined : partyFromId(config.trust, 'workload', request.workload));
  const model = await modelFor(ledger, target, named);
  const expiresAt = now + config.lifetimes.credential * 1000;
  const epoch = formatEpoch((await ledger.log.look([])).epoch);
  const task: Task = {
    id: newId('tsk'),
    lineage: [],
    // A token without a team would be no token of an issuer that names them.
    workload: { ...model.task.workload, ...named },
    purpose: (bound ?? model.task).purpose,
    purposeFrom: 'agent',
    openedAt: now,
    deadline: expiresAt,
    epoch,
    credentials: [],
    suspensions: 0,
    suspended: false,
    revision: 0,
  };
  const { kind, access, subject } = model.credential;
  const credential: Credential = {
    ...{ id: newId('crd', shardOf(task.id)), task: task.id, kind, target, access, ...defined({ subject }) },
    ...{ state: 'active', issuedAt: now, expiresAt, epoch },
  };
  return { credential, task, names: defined({ task: request.task, workload: named?.id }) };
}

/** How many open tasks are looked at for a model. */
const LOOKED_AT_MOST = 256;

/** Returns a credential for the target: of the workload if there is one, else of another workload of its issuer. */
async function modelFor(ledger: Ledger, target: string, named: PartyRef | undefined): Promise<Found> {
  const own: Selector[] = named ? [{ kind: 'workload', value: named.id }] : [];
  for (const selector of [...own, EVERYTHING]) {
    let looked = 0;
    for await (const page of tasksUnder(ledger, selector)) {
      const found = await credentialAmong(
        ledger,
        target,
        page.filter(({ workload }) => !named || workload.issuer === named.issuer),
      );
      if (found) return found;
      looked += page.length;
      if (looked >= LOOKED_AT_MOST) break;
    }
  }
  throw new Error(
    `Of ${LOOKED_AT_MOST} open tasks that were looked at, none${named ? ` of ${named.issuer}` : ''} has a credential for ${target}. A canary is made like a real one: mint it while there is such work, or name another --target.`,
  );
}

/** Returns a credential for the target that one of the tasks has. It may have expired. */
async function credentialAmong(ledger: Ledger, target: string, tasks: readonly Task[]): Promise<Found | undefined> {
  const ids = tasks.flatMap(({ credentials }) => credentials.map(({ id }) => id));
  const credential = (await readCredentials(ledger, ids)).find(
    (one) => one.target === target && one.state === 'active',
  );
  const task = tasks.find(({ id }) => id === credential?.task);
  return credential && task && { credential, task };
}

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
