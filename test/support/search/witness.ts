/** The record of one run of a play, and the guarantees that are checked against it. */
import type { Credential } from '../../../src/domain/credential.js';
import { credentialCauses, taskCauses } from '../../../src/domain/hangs-on.js';
import { cause, type Effect, type Selector } from '../../../src/domain/selector.js';
import { alive, findCredential, type Found } from '../../../src/ledger/credentials.js';
import { readTask } from '../../../src/ledger/tasks.js';
import { readTaskState } from '../../../src/ledger/task-state.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import type { Clock } from '../../../src/domain/time.js';
import type { Store } from '../../../src/store/store.js';
import type { Span } from './interleave.js';

export interface Witness {
  issued: { credential: Credential; span: Span }[];
  /** The acknowledged revocations. */
  deaths: Death[];
  answers: { span: Span; active: string[] }[];
  /** `fresh`: under a task of its own, so only a cause of the caller or the target can be the reason. */
  refusals: { error: unknown; span: Span; fresh: boolean }[];
  /** The ids that were minted, one list per broker. */
  minted: string[][];
}

export interface Death {
  selector: Selector;
  effect: Effect;
  span: Span;
  seq: number;
  /** Whether the same actor lifted it afterwards. */
  lifted?: boolean;
  /** How many credentials its receipt says it ended, counted in one step right after publication. */
  counted?: number;
}

/** Returns the ids of those that are alive, read step by step as introspection reads. */
export async function livingOf(ledger: Ledger, credentials: readonly Credential[]): Promise<string[]> {
  const found: Found[] = [];
  for (const { id } of credentials) {
    const one = await findCredential(ledger, id);
    if (one) found.push(one);
  }
  return (await alive(ledger, found)).map(({ credential }) => credential.id);
}

export async function checkGuarantees(
  { store, clock, witness, task }: { store: Store; clock: Clock; witness: Witness; task: string },
  lossy = false,
): Promise<void> {
  const ledger: Ledger = { records: store.records, log: openRevocationLog(store.log), clock };
  const living = new Set(
    await livingOf(
      ledger,
      witness.issued.map(({ credential }) => credential),
    ),
  );

  const published = (await store.log.entries(0, 100)).filter(({ effect }) => effect !== 'lift').length;
  const acknowledged = published <= witness.deaths.length;

  for (const { credential, span } of witness.issued) {
    const found = await findCredential(ledger, credential.id);
    if (!found && lossy) continue;
    if (!found) throw new Error('G1: something was released that the ledger does not know');
    const [entry] = await store.records.read([`audit/credential.granted:${credential.id}`]);
    if (entry === undefined) throw new Error('G7: something was released without its audit entry');
    const causes = credentialCauses(credential, found.task);
    const deaths = witness.deaths.filter(({ selector }) => causes.includes(cause(selector.kind, selector.value)));
    const untouched = deaths.every((death) => death.span.ended < span.began && death.effect !== 'end');
    if (untouched && acknowledged && credential.expiresAt > clock.now() && !living.has(credential.id))
      throw new Error('dead, though born after all that could have killed it');
    for (const death of deaths) {
      if (living.has(credential.id) && mustKill(death, span))
        throw new Error(`G5: alive after an acknowledged ${death.effect} of ${death.selector.kind}`);
      for (const answer of witness.answers) {
        const asked = death.span.ended < answer.span.began;
        if (asked && answer.active.includes(credential.id) && mustKill(death, span))
          throw new Error('G5: answered active after an acknowledged revocation');
      }
    }
  }
  for (const id of lossy ? [] : witness.minted.flat()) {
    if (!(await findCredential(ledger, id))) throw new Error('G1: something was minted that the ledger does not know');
  }
  checkReceipts(witness, living, clock.now());
  await checkTask(ledger, task, witness.deaths);
  if (!lossy && acknowledged) checkRefusals(witness);
}

/** Returns whether an acknowledged revocation must have ended what was issued in that span. */
function mustKill({ effect, lifted, span: death }: Death, issued: Span): boolean {
  if (effect === 'end') return true;
  const issuedBefore = issued.ended < death.began;
  const standing = effect === 'hold' && !lifted;
  return issuedBefore || standing;
}

/** If the play has one revocation, its receipt counts at least every released credential that it ended. */
function checkReceipts({ issued, deaths }: Witness, living: ReadonlySet<string>, now: number): void {
  const [only] = deaths;
  if (deaths.length !== 1 || only?.counted === undefined) return;
  const killed = issued.filter(({ credential }) => credential.expiresAt > now && !living.has(credential.id)).length;
  if (only.counted < killed) throw new Error(`G8: the receipt says ${only.counted}, and ${killed} were killed`);
}

/** After a cutoff, or a hold that was lifted, a new task may be opened: a refusal needs a reason that is still in force. */
function checkRefusals({ refusals, deaths }: Witness): void {
  const passing =
    deaths.length > 0 && deaths.every(({ effect, lifted }) => effect === 'cutoff' || (effect === 'hold' && lifted));
  const late = refusals.find(({ span, fresh }) => fresh && deaths.every((death) => death.span.ended < span.began));
  if (late && passing) throw new Error('refused, though nothing stands against it', { cause: late.error });
}

/** A task from before an acknowledged end or cutoff is not open, whatever tombstones were forgotten since. */
async function checkTask(ledger: Ledger, id: string, deaths: readonly Death[]): Promise<void> {
  const stored = await readTask(ledger, id);
  if (!stored) return;
  const causes = taskCauses(stored.value);
  const killed = deaths.some(
    ({ selector, effect }) => effect !== 'hold' && causes.includes(cause(selector.kind, selector.value)),
  );
  const state = await readTaskState(ledger, stored.value);
  if (killed && (state === 'open' || state === 'suspended'))
    throw new Error('G5: a task is open after an acknowledged revocation');
}
