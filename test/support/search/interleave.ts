/**
 * An exhaustive search over interleavings of real code. Several processes run over one store. Every store operation is a
 * step that waits until the search performs it, so each run is one total order of steps, and the search runs all orders.
 *
 * Of orders that must end in the same state it runs one (path.ts). A process may also be killed at any of its steps.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Store } from '../../../src/store/store.js';
import { handClock, type HandClock } from '../clock.js';
import { SearchPath, type Choice } from './path.js';
import { everything, steppedStore, type Footprint } from './stepped-store.js';

interface Step {
  process: string;
  label: string;
  footprint: Footprint;
  born: number;
  run(): Promise<void>;
}

/** What a process is given: its own stepped view of the shared store, and a way to make steps of its own. */
export interface Stepped {
  store: Store;
  /** Performs any other action in one step, which conflicts with every other step. */
  act: <T>(label: string, action: () => T | Promise<T>) => Promise<T>;
  /** When the process took its first step and when it had its result, counted in steps of the run. */
  span: Span;
}

export interface Span {
  began: number;
  ended: number;
}

export interface Scenario {
  store: Store;
  /** Each runs to its end, until it is killed, or until it rejects. A rejection is not an error: the process itself checks it. */
  processes: Record<string, (stepped: Stepped) => Promise<unknown>>;
  /** Is called after every run with the order of steps. Throws when a guarantee is broken. */
  check(order: readonly string[]): Promise<void>;
}

export interface Search {
  /** The processes that may be killed, each at any of its steps, one per run. */
  mortal?: string[];
  /** The search fails beyond this number of runs: the scenario was meant to be small. */
  runsMax?: number;
}

/** A clock turned by hand whose pauses take no time: the search tries every order anyway, whoever waits longer. */
export const searchClock = (startMs?: number): HandClock => ({ ...handClock(startMs), pause: () => Promise.resolve() });

/** Runs every order. Returns how many orders were checked. */
export async function everyInterleaving(
  setUp: () => Scenario | Promise<Scenario>,
  { mortal = [], runsMax = 20_000 }: Search = {},
): Promise<number> {
  const path = new SearchPath();
  let checked = 0;
  for (let runs = 1; ; runs += 1) {
    if (runs > runsMax) throw new Error(`more than ${runsMax} runs`);
    if (await runOnce(await setUp(), path, mortal)) checked += 1;
    if (!path.backtrack()) return checked;
  }
}

/** Returns false where the search has already run an equivalent order. */
async function runOnce(scenario: Scenario, path: SearchPath, mortal: string[]): Promise<boolean> {
  const world = start(scenario);
  const order: string[] = [];
  let killed = false;
  for (let depth = 0; ; depth += 1) {
    await world.settle();
    const choices = world.choices(killed ? [] : mortal);
    if (choices.length === 0) break;
    const taken = path.at(depth, choices);
    if (!taken) return false;
    killed ||= taken.always === true;
    order.push(await world.take(taken.name));
  }
  try {
    await scenario.check(order);
  } catch (error) {
    throw new Error(`broken in this order:\n  ${order.join('\n  ')}`, { cause: error });
  }
  return true;
}

function start({ store, processes }: Scenario) {
  const waiting = new Map<string, Step>();
  const named = namesByAppearance();
  const living = new Set(Object.keys(processes));
  const counts = new Map<string, number>();

  let taken = 0;
  const all = (names: ReadonlySet<string>): Set<string> => new Set([...names].map(named));

  /** Announces a step, and resolves when the search has performed it. For a killed process it never resolves. */
  function announce<T>(process: string, label: string, footprint: Footprint, action: () => Promise<T>): Promise<T> {
    const n = (counts.get(process) ?? 0) + 1;
    counts.set(process, n);
    return new Promise((resolve, reject) => {
      if (!living.has(process)) return;
      const run = () => action().then(resolve, reject);
      waiting.set(`${process}#${n}`, {
        process,
        label: named(label),
        footprint: { reads: all(footprint.reads).add(lifeOf(process)), writes: all(footprint.writes) },
        born: taken,
        run,
      });
    });
  }

  for (const [name, body] of Object.entries(processes)) {
    const span: Span = { began: Infinity, ended: Infinity };
    const stepped: Stepped = {
      span,
      store: steppedStore(store, (label, footprint, action) => announce(name, label, footprint, action)),
      act: (label, action) => announce(name, label, everything, async () => action()),
    };
    void live(name, span, () => body(stepped));
  }

  /** Beginning and ending are steps too, so the order also says whether one process ended before another began. */
  async function live(name: string, span: Span, body: () => Promise<unknown>): Promise<void> {
    await announce(name, 'begins', { reads: new Set(Object.keys(processes).map(endOf)), writes: new Set() }, () =>
      Promise.resolve(void (span.began = taken)),
    );
    await body().catch(() => undefined);
    await announce(name, 'ends', { reads: new Set(), writes: new Set([endOf(name)]) }, () =>
      Promise.resolve(void (span.ended = taken)),
    );
    living.delete(name);
  }

  const isWaiting = (name: string): boolean => [...waiting.values()].some(({ process }) => process === name);
  return {
    /** Resolves when every living process waits at a step. */
    async settle() {
      do await turn();
      while ([...living].some((name) => !isWaiting(name)));
    },
    choices(mortal: string[]): Choice[] {
      const steps = [...waiting].map(([name, { footprint, born }]) => ({ name, footprint, born }));
      const deaths = mortal
        .filter(isWaiting)
        .map((name) => ({ name: `kill ${name}`, footprint: deathOf(name), born: 0, always: true as const }));
      return [...steps, ...deaths];
    },
    async take(name: string): Promise<string> {
      taken += 1;
      if (name.startsWith('kill ')) {
        const victim = name.slice('kill '.length);
        living.delete(victim);
        for (const [id, { process }] of waiting) if (process === victim) waiting.delete(id);
        return name;
      }
      const step = waiting.get(name);
      if (!step) throw new Error(`${name} is not waiting: the scenario is not deterministic`);
      waiting.delete(name);
      await step.run();
      return `${name} ${step.label}`;
    },
  };
}

/**
 * Ids and shards are random, so they differ from run to run, but the search must recognise a step in the next run. So each id
 * is replaced by its number of appearance, which is the same in two runs with the same beginning. Shards are removed.
 */
function namesByAppearance(): (text: string) => string {
  const numbers = new Map<string, number>();
  const number = (id: string): string => {
    const known = numbers.get(id) ?? numbers.size + 1;
    numbers.set(id, known);
    return `<${known}>`;
  };
  const named = new Map<string, string>();
  return (text) => {
    const before = named.get(text);
    if (before !== undefined) return before;
    const name = text
      .replace(/\b[ab][a-z2-7]\//g, '')
      .replace(/(tsk|crd|apr)_[a-z2-7]{16}/g, number)
      .replace(/^[\w-]{16}$/, number);
    named.set(text, name);
    return name;
  };
}

const endOf = (process: string): string => `end of ${process}`;
/** Every step of a process reads its life, and its death writes it: so the two conflict. */
const lifeOf = (process: string): string => `life of ${process}`;
const deathOf = (process: string): Footprint => ({ reads: new Set(), writes: new Set([lifeOf(process)]) });
