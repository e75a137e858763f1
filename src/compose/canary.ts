/**
 * Makes a canary: a token like any other, by the minter itself, of a credential that nobody was granted. It is signed by a key
 * that is thrown away, under the name of the current one: nobody can tell by looking, and no verifier takes it.
 */
import { defined } from '../domain/defined.js';
import { generateKeyPairSync, hash } from 'node:crypto';
import type { Canary } from '../domain/canary.js';
import type { Credential } from '../domain/credential.js';
import { newId, shardOf } from '../domain/id.js';
import { formatEpoch } from '../domain/liveness.js';
import type { Task } from '../domain/task.js';
import { signedJws } from '../keys/sign.js';
import { putCanary } from '../ledger/canaries.js';
import { readTask } from '../ledger/tasks.js';
import { createJwtMinter } from '../minters/jwt.js';
import { accessTokenOf, DEFAULT_KIND } from '../targets/kinds.js';
import { workloadFromId } from '../identity/party-from-id.js';
import { LOCAL, type Local } from './local.js';

interface CanaryWish {
  label: string;
  expiresAt: number;
  target?: string;
  /** Whom its use speaks of. */
  task?: string;
  workload?: string;
}

/** Answers the token. It is kept nowhere. */
export async function mintCanary(local: Local, wish: CanaryWish): Promise<string> {
  const { ledger, config, signing } = local;
  const now = ledger.clock.now();
  const { expiresAt, label } = wish;
  const bound = wish.task === undefined ? undefined : await openTask(local, wish.task, wish.workload);
  const workload = bound?.workload ?? workloadFromId(config.trust, wish.workload ?? madeUpWorkload(config));
  const epoch = formatEpoch((await ledger.log.look([])).epoch);
  const task: Task = {
    ...{ id: newId('tsk'), lineage: [], workload, purpose: purposeIn(config), purposeFrom: 'agent' },
    ...{ openedAt: now, deadline: expiresAt, epoch, credentials: [], suspensions: 0, suspended: false, revision: 0 },
  };
  const target = targetIn(config, wish.target);
  const credential: Credential = {
    ...{ id: newId('crd', shardOf(task.id)), task: task.id, kind: DEFAULT_KIND.name, target, state: 'active' },
    // As much as there is: whoever finds it shall want to try it.
    access: [{ path: '**', actions: ['read'] }],
    ...{ issuedAt: now, expiresAt, epoch },
  };

  const { keys, audit } = await signing();
  const [current] = (await keys.jwks()).keys;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sign = (payload: object, { typ }: { typ: string }) =>
    Promise.resolve(signedJws({ typ, kid: current?.kid ?? '' }, payload, privateKey));
  const minter = createJwtMinter({ keys: { sign }, issuer: config.issuer });
  const token = accessTokenOf((await minter.mint(credential, task)).material);

  const names = defined({
    task: wish.task,
    ...((bound ?? wish.workload) !== undefined && { workload: workload.id }),
  });
  const canary: Canary = {
    hash: hash('sha256', token, 'base64url'),
    label,
    target,
    mintedAt: now,
    expiresAt,
    ...names,
  };
  // Nothing is laid out that is not looked for.
  await putCanary(ledger, canary);
  await audit.append({
    ...{ type: 'canary.minted', at: now, actor: { id: LOCAL }, target, ...names, expiresAt, ticket: label },
  });
  return token;
}

/** Its use would speak of both: a task of somebody else would make it speak of nobody. */
async function openTask({ ledger }: Local, id: string, workload: string | undefined): Promise<Task> {
  const task = (await readTask(ledger, id))?.value;
  if (!task) throw new Error('There is no such task.');
  if (workload !== undefined && task.workload.id !== workload) throw new Error(`The task is of ${task.workload.id}.`);
  return task;
}

function targetIn({ targets }: Local['config'], wanted: string | undefined): string {
  const found = targets.find(
    ({ resource, minter }) => minter === DEFAULT_KIND.name && resource === (wanted ?? resource),
  );
  if (!found) throw new Error(`The configuration has no such target of kind ${DEFAULT_KIND.name}.`);
  return found.resource;
}

const purposeIn = ({ purposes }: Local['config']): string => Object.keys(purposes ?? {})[0] ?? 'nightly export';

/** Of somebody who could be. */
function madeUpWorkload({ trust }: Local['config']): string {
  const found = trust.find((one) => one.kind === 'spiffe' || one.represents === 'workload');
  if (!found) throw new Error('The configuration trusts nobody about workloads.');
  return found.kind === 'spiffe' ? `spiffe://${found.trustDomain}/backup` : `${found.name}:backup`;
}
