/** The risk of a workload: its level, the reason, and when it falls. Also the highest risk among its open tasks. */
import type { Deps } from '../authorization/deps.js';
import type { Permitted } from '../authorization/permission.js';
import { defined } from '../domain/defined.js';
import { risksFor } from '../domain/hangs-on.js';
import { highest, levelNow, nextFall, type Risk } from '../domain/risk.js';
import { causeOf, type Selector } from '../domain/selector.js';
import type { Level, Signal } from '../domain/signal.js';
import type { Task } from '../domain/task.js';
import { partyFromId } from '../identity/party-from-id.js';
import type { Ledger } from '../ledger/ledger.js';
import { readRisks } from '../ledger/risk.js';
import { readSignal } from '../ledger/signals.js';
import { tasksUnder } from '../ledger/tasks-under.js';

interface Explained {
  on: Selector;
  risk: Risk;
  level: Level;
  falls?: { to: Level; at: number };
  /** The signal that set the risk, while the ledger still has it. */
  signal?: Signal;
}

export interface WorkloadRisk {
  workload: string;
  level: Level;
  because?: Explained;
  /** `looked`: how many open tasks were read; `all`: whether these are all of them. */
  tasks: { looked: number; all: boolean; level: Level; worst?: Explained & { task: string } };
}

/** At most so many open tasks are read for one answer. The answer then says that these are not all. */
const TASKS_LOOKED_AT = 1_000;

export async function showRisk(
  { ledger, settings }: Pick<Deps, 'ledger' | 'settings'>,
  _: Permitted<'readRevocations'>,
  workload: string,
): Promise<WorkloadRisk> {
  // This throws: an id that no party can have is a mistake of the caller, and not a workload without risk.
  partyFromId(settings.trust, 'workload', workload);
  const own = worstOf(
    await standing(
      ledger,
      (['workload', 'principal'] as const).map((kind) => ({ kind, value: workload })),
    ),
  );
  const because = own && (await explained(ledger, own));
  return defined({ workload, level: own?.level ?? 'LOW', because, tasks: await tasksOf(ledger, workload) });
}

type Standing = Pick<Explained, 'on' | 'risk' | 'level'>;

/** Returns the risks on these selectors of which something is left. */
async function standing(ledger: Ledger, selectors: readonly Selector[]): Promise<Standing[]> {
  const risks = await readRisks(ledger, selectors.map(causeOf));
  const now = ledger.clock.now();
  return selectors.flatMap((on, index): Standing[] => {
    const risk = risks[index];
    return risk && levelNow(risk, now) !== 'LOW' ? [{ on, risk, level: levelNow(risk, now) }] : [];
  });
}

async function explained(ledger: Ledger, { on, risk, level }: Standing): Promise<Explained> {
  const falls = nextFall(risk, ledger.clock.now());
  const signal = (await readSignal(ledger, risk.signal))?.value;
  return defined({ on, risk, level, falls, signal });
}

/** Returns the highest risk of the open tasks: what policy sees of them beside the risk of the workload itself. */
async function tasksOf(ledger: Ledger, workload: string): Promise<WorkloadRisk['tasks']> {
  let [looked, all] = [0, true];
  let worst: (Standing & { task: string }) | undefined;
  for await (const page of tasksUnder(ledger, { kind: 'workload', value: workload })) {
    const tasks = page.filter((task) => task.workload.id === workload);
    const owners = tasks.flatMap((task) => besideWorkload(task).map((on) => ({ on, task: task.id })));
    const found = await standing(
      ledger,
      owners.map(({ on }) => on),
    );
    worst = worstOf([...(worst ? [worst] : []), ...found.map((one) => ({ ...one, task: taskOf(owners, one) }))]);
    looked += tasks.length;
    all = looked < TASKS_LOOKED_AT;
    if (!all) break;
  }
  if (!worst) return { looked, all, level: 'LOW' };
  return { looked, all, level: worst.level, worst: { ...(await explained(ledger, worst)), task: worst.task } };
}

/** Returns the first one of the highest level, or undefined if there is none at all. */
const worstOf = <S extends Standing>(found: readonly S[]): S | undefined =>
  found.find(({ level }) => level === highest(found.map((one) => one.level)));

const taskOf = (owners: readonly { on: Selector; task: string }[], { on }: Standing): string =>
  owners.find((owner) => owner.on === on)?.task ?? '';

const besideWorkload = (task: Task): Selector[] =>
  risksFor(
    task,
    task.credentials.map(({ id }) => id),
  ).filter(({ value }) => value !== task.workload.id);
