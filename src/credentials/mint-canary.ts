/**
 * Mints a canary: a token like any other, by the minter itself, of a credential that nobody was granted. Its signature is a decoy
 * (keys/decoy-signer.ts): nobody can tell by looking, and no verifier accepts it. Any use of it is an alarm.
 */
import type { AuditLog } from '../audit/log.js';
import type { Config } from '../config/schema.js';
import type { Credential } from '../domain/credential.js';
import { defined } from '../domain/defined.js';
import { sha256 } from '../domain/digest.js';
import { newId, shardOf } from '../domain/id.js';
import { formatEpoch } from '../domain/liveness.js';
import type { Task } from '../domain/task.js';
import { partyFromId, prefixOf, representedBy } from '../identity/party-from-id.js';
import { putCanary, type Canary } from '../ledger/canaries.js';
import type { Ledger } from '../ledger/ledger.js';
import { readTask } from '../ledger/tasks.js';
import type { Minter } from '../minters/minter.js';
import { accessTokenOf, DEFAULT_KIND } from '../targets/kinds.js';

interface CanaryDeps {
  ledger: Ledger;
  audit: Pick<AuditLog, 'append'>;
  config: Pick<Config, 'trust' | 'targets' | 'purposes'>;
  /** Mints JWTs with decoy signatures. */
  minter: Minter;
  /** The actor of the audit entry. */
  actor: string;
}

interface CanaryWish {
  label: string;
  expiresAt: number;
  target?: string;
  /** The task and the workload that an alarm about the canary names. */
  task?: string;
  workload?: string;
}

/** Returns the token, which is stored nowhere. */
export async function mintCanary(deps: CanaryDeps, wish: CanaryWish): Promise<string> {
  const { ledger, audit, config, minter, actor } = deps;
  const now = ledger.clock.now();
  const { expiresAt, label } = wish;
  const bound = wish.task === undefined ? undefined : await openTask(ledger, wish.task, wish.workload);
  const workload = bound?.workload ?? partyFromId(config.trust, 'workload', wish.workload ?? madeUpWorkload(config));
  const epoch = formatEpoch((await ledger.log.look([])).epoch);
  const task: Task = {
    ...{ id: newId('tsk'), lineage: [], workload, purpose: purposeIn(config), purposeFrom: 'agent' },
    ...{ openedAt: now, deadline: expiresAt, epoch, credentials: [], suspensions: 0, suspended: false, revision: 0 },
  };
  const target = targetIn(config, wish.target);
  const credential: Credential = {
    ...{ id: newId('crd', shardOf(task.id)), task: task.id, kind: DEFAULT_KIND.name, target, state: 'active' },
    // As much access as there is: a thief who finds it shall want to try it.
    access: [{ path: '**', actions: ['read'] }],
    ...{ issuedAt: now, expiresAt, epoch },
  };
  const token = accessTokenOf((await minter.mint(credential, task)).material);

  const names = defined({
    task: wish.task,
    ...((bound ?? wish.workload) !== undefined && { workload: workload.id }),
  });
  const canary: Canary = {
    hash: sha256(token),
    label,
    target,
    mintedAt: now,
    expiresAt,
    ...names,
  };
  // Stored before the token is returned: a canary that no broker looks for would never raise an alarm.
  await putCanary(ledger, canary);
  await audit.append({
    ...{ type: 'canary.minted', at: now, actor: { id: actor }, target, ...names, expiresAt, ticket: label },
  });
  return token;
}

/** An alarm names task and workload together. If the task belonged to another workload, the pair would name nobody. */
async function openTask(ledger: Ledger, id: string, workload: string | undefined): Promise<Task> {
  const task = (await readTask(ledger, id))?.value;
  if (!task) throw new Error('There is no such task.');
  if (workload !== undefined && task.workload.id !== workload) throw new Error(`The task is of ${task.workload.id}.`);
  return task;
}

function targetIn({ targets }: CanaryDeps['config'], wanted: string | undefined): string {
  const found = targets.find(
    ({ resource, minter }) => minter === DEFAULT_KIND.name && resource === (wanted ?? resource),
  );
  if (!found) throw new Error(`The configuration has no such target of kind ${DEFAULT_KIND.name}.`);
  return found.resource;
}

const purposeIn = ({ purposes }: CanaryDeps['config']): string => Object.keys(purposes ?? {})[0] ?? 'nightly export';

/** The id of a workload that a configured issuer could prove. */
function madeUpWorkload({ trust }: CanaryDeps['config']): string {
  const issuer = trust.find((one) => representedBy(one) === 'workload');
  if (!issuer) throw new Error('The configuration trusts nobody about workloads.');
  return `${prefixOf(issuer)}backup`;
}
