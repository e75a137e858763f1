/** A use that an API asks about: what the ledger has of its credential, whether that lives, and what the audit log says of it. */
import type { AuditEvent } from '../audit/event.js';
import { callerFields, taskFields } from '../authorization/audit.js';
import {
  auditedToken,
  inspect,
  inspectById,
  shownBy,
  stateOf,
  type Inspected,
  type TokenState,
} from '../authorization/inspect.js';
import { defined } from '../domain/defined.js';
import { credentialCauses } from '../domain/hangs-on.js';
import { refusesBirth } from '../domain/liveness.js';
import type { Given, PartyRef } from '../domain/party.js';
import type { RequestTrace } from '../domain/request-trace.js';
import type { Cause } from '../domain/selector.js';
import { chainOf, type Task } from '../domain/task.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { Found } from '../ledger/credentials.js';
import type { Seen } from '../ledger/revocation-log.js';
import type { Deps } from './deps.js';

type UseDeps = Pick<Deps, 'ledger' | 'keys' | 'settings' | 'observer'>;

/** A credential, shown or named by its id; or a party that is only named, of which no credential is looked at. */
export type SubjectOfUse = { token: string } | { credential: string } | { party: PartyRef };

export interface Question {
  subject: SubjectOfUse;
  /** What the one who asks takes the credential for, if it says so: its id, or whose it is, the workload's or whom that serves. */
  takenFor?: string;
  /** The `resource` of a target. Absent: the one that the credential is for, whichever that is. */
  target?: string;
  /** One path, no pattern. */
  path: string;
  action: string;
  /** Reads what the one who asks says of the use, for policy alone. Absent where it says nothing. */
  given?: () => Given;
  trace: RequestTrace;
}

/** What the question is about, as the ledger has it. */
export interface Use {
  target: string | undefined;
  causes: readonly Cause[];
  /** Absent where nothing is known of what was shown. */
  task?: Task;
  party?: PartyRef;
  found?: Found;
  inspected?: Inspected;
}

export async function useOf(
  deps: UseDeps,
  asker: AuthenticatedCaller | undefined,
  { subject, target, trace }: Question,
): Promise<Use> {
  if ('party' in subject) {
    const task = imaginedTask(deps, subject.party);
    const causes = target === undefined ? [] : credentialCauses({ id: '', target }, task);
    return { target, causes, task, party: subject.party };
  }
  const shown = asker ? shownBy(asker, 'introspected') : { as: 'proof' as const, trace };
  const inspected =
    'token' in subject ? await inspect(deps, subject.token, shown) : await inspectById(deps, subject.credential);
  if (!inspected) return { target, causes: [] };
  const { causes, claims, found } = inspected;
  return defined({ target: target ?? claims.aud, causes, inspected, found, task: found?.task });
}

/** A task as it would be opened for a party that asks for nothing else: policy is asked about one. It is never stored. */
function imaginedTask({ ledger }: Pick<Deps, 'ledger'>, workload: PartyRef): Task {
  const now = ledger.clock.now();
  return {
    id: '',
    lineage: [],
    workload,
    purpose: '',
    purposeFrom: 'default',
    openedAt: now,
    deadline: now,
    epoch: '',
    credentials: [],
    suspensions: 0,
    suspended: false,
    revision: 0,
  };
}

interface Looked {
  use: Use;
  question: Question;
  seen: Seen;
  now: number;
}

/** A credential that lives is `inactive` here where the question is about another target, or takes it for another's. */
export function stateOfUse({ use, question, seen, now }: Looked): TokenState {
  const { inspected, party, target, causes } = use;
  if (party) return target !== undefined && refusesBirth(seen.on(causes)) === undefined ? 'live' : 'inactive';
  if (!inspected) return 'inactive';
  const state = stateOf(inspected, seen, now);
  const { claims } = inspected;
  const names = [undefined, claims.jti, claims.client_id, claims.sub];
  const isMeant = claims.aud === target && names.includes(question.takenFor);
  return state === 'live' && !isMeant ? 'inactive' : state;
}

/** What the audit log says of the use, whatever comes of it. */
export function auditedUse(
  asker: AuthenticatedCaller | undefined,
  { use, question, at }: { use: Use; question: Question; at: number },
): Omit<AuditEvent, 'type'> {
  const { found, inspected, party, target } = use;
  const { path, action, trace } = question;
  return defined({
    ...(inspected && auditedToken(inspected)),
    ...(asker ? callerFields(asker) : { address: trace.address }),
    ...(found && { ...taskFields(found.task), chain: chainOf(found.task) }),
    ...(party && { [party.kind === 'workload' ? 'workload' : 'principal']: party.id }),
    ...((found ?? party) && { target, access: [{ path, actions: [action] }] }),
    at,
    verb: 'evaluate',
    requestId: trace.requestId,
  });
}
