/**
 * Completes a run: one entry in the log ends every task that the run opened, and with them what hangs on those. Whoever still asks on
 * a token of the run is refused. The run need not be known: a job that is over before it asked for anything must not begin late.
 */
import { publishedBy } from '../authorization/audit.js';
import type { Deps } from '../authorization/deps.js';
import type { Permitted } from '../authorization/permission.js';
import type { NamedRun } from '../authorization/permit-on-broker.js';
import { BrokerError } from '../domain/errors.js';
import { didYouMean, nearNames } from '../domain/near-names.js';
import { runValue } from '../domain/party.js';
import { causeOf, type Selector } from '../domain/selector.js';
import type { Outcome } from '../domain/task-outcome.js';
import { canHitSomebody } from '../identity/party-from-id.js';
import type { Ledger } from '../ledger/ledger.js';
import { revoke } from '../ledger/revoke.js';
import { settle } from '../ledger/tasks.js';
import { tasksUnder } from '../ledger/tasks-under.js';
import { endingBy, type Completion, type Ending } from './ending.js';

interface CompletedRun {
  run: string;
  state: Outcome;
  /** Absent if the run had ended before: the first outcome stands. */
  revocation?: Ending;
}

export async function completeRun(
  { ledger, settings }: Pick<Deps, 'ledger' | 'settings'>,
  { caller, subject }: Permitted<'completeRun', NamedRun>,
  { outcome, reason = outcome }: Completion,
): Promise<CompletedRun> {
  const run = runValue(subject.issuer, subject.run);
  const selector: Selector = { kind: 'run', value: run };
  // Of that one entry, because policy was asked about its name: `ci:a` and `b` are called like the run `a:b` of `ci`.
  const named = settings.trust.filter(({ name }) => name === subject.issuer);
  if (!canHitSomebody(named, selector)) throw namesNoRun(settings.trust, subject);
  const before = await endOf(ledger, selector);
  // It is published in any case: the end that was read may not be durable yet.
  const end = { id: `end:run:${run}`, selector, effect: 'end', outcome, reason, ...publishedBy(caller) } as const;
  const entry = await revoke(ledger, end);
  if (before) return { run, state: before };
  const revocation = await endingBy(ledger, entry);
  const state = (await endOf(ledger, selector)) ?? outcome;
  await settleTasks(ledger, selector, { as: state, at: entry.at, reason }).catch(() => undefined);
  return { run, state, revocation };
}

async function endOf({ log }: Ledger, selector: Selector): Promise<Outcome | undefined> {
  const own = causeOf(selector);
  const [tombstone] = (await log.look([own])).on([own]);
  return tombstone?.ended?.as;
}

/** So many tasks of a run are recorded as ended at once. Of others the sweep records it at their deadline; they are as dead. */
const SETTLED_MOST = 256;

/** A task that is not recorded as ended would count as open in the quota of its workload. */
async function settleTasks(ledger: Ledger, selector: Selector, ended: Parameters<typeof settle>[2]): Promise<void> {
  let left = SETTLED_MOST;
  for await (const page of tasksUnder(ledger, selector)) {
    const own = page.filter(({ run }) => run === selector.value).slice(0, left);
    await Promise.all(own.map(({ id }) => settle(ledger, id, ended)));
    left -= own.length;
    if (left === 0) return;
  }
}

function namesNoRun(trust: Deps['settings']['trust'], { issuer }: NamedRun): BrokerError {
  const names = trust.flatMap((one) => (one.kind === 'oidc' && one.represents === 'workload' ? [one.name] : []));
  const text = `No tokens of the issuer "${issuer}" can name that run: issuer is the trust name of an entry of kind oidc that stands for workloads.`;
  return new BrokerError('invalid_request', `${text}${didYouMean(nearNames(issuer, names))}`);
}
