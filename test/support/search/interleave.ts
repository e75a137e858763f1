/**
 * An exhaustive search over interleavings of real code. Several processes run over one store. Every store operation is a
 * step that waits until the search performs it, so each run is one total order of steps, and the search runs all orders.
 *
 * Orders that differ only in swapping neighbouring steps which do not touch the same thing end in the same state; sleep
 * sets (Godefroid 1996) leave out all but one of them. A process may also be killed at any of its steps.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Store } from '../../../src/store/store.js';
import { handClock, type HandClock } from '../clock.js';
import { conflict, everything, steppedStore, type Footprint } from './stepped-store.js';

interface Step extends Footprint {
  process: string;
  label: string;
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

interface Choice {
  /** `<process>#<n>` or `kill <process>`. */
  name: string;
  footprint: Footprint;
}

/** One node on the current path of the search tree: the choices there, and those already tried. */
interface Node {
  choices: Choice[];
  asleep: Map<string, Footprint>;
  taken: Choice;
}

/** A clock turned by hand whose pauses take no time: the search tries every order anyway, whoever waits longer. */
export const searchClock = (startMs?: number): HandClock => ({ ...handClock(startMs), pause: () => Promise.resolve() });

/** Runs every order. Returns how many runs that took. */
export async function everyInterleaving(
  setUp: () => Scenario | Promise<Scenario>,
  { mortal = [], runsMax = 20_000 }: Search = {},
): Promise<number> {
  const path: Node[] = [];
  for (let runs = 1; ; runs += 1) {
    if (runs > runsMax) throw new Error(`more than ${runsMax} runs`);
    await runOnce(await setUp(), path, mortal);
    if (!backtrack(path)) return runs;
  }
}

async function runOnce(scenario: Scenario, path: Node[], mortal: string[]): Promise<void> {
  const world = start(scenario);
  const order: string[] = [];
  let killed = false;
  for (let depth = 0; ; depth += 1) {
    await world.settle();
    const choices = world.choices(killed ? [] : mortal);
    if (choices.length === 0) break;
    const node = path[depth] ?? grow(path, choices);
    if (!node) return; // The search has already run an equivalent order from here on.
    killed ||= node.taken.name.startsWith('kill ');
    order.push(await world.take(node.taken.name));
  }
  try {
    await scenario.check(order);
  } catch (error) {
    throw new Error(`broken in this order:\n  ${order.join('\n  ')}`, { cause: error });
  }
}

/** Extends the path by one node, with the first choice that is not asleep. Returns undefined when all are asleep. */
function grow(path: Node[], choices: Choice[]): Node | undefined {
  const parent = path.at(-1);
  const asleep = new Map<string, Footprint>();
  if (parent)
    for (const [name, footprint] of parent.asleep)
      if (!conflict(footprint, parent.taken.footprint)) asleep.set(name, footprint);
  const taken = choices.find(({ name }) => !asleep.has(name));
  if (!taken) return undefined;
  const node = { choices, asleep, taken };
  path.push(node);
  return node;
}

/** Moves to the next untried choice, deepest first. Returns false when none is left. */
function backtrack(path: Node[]): boolean {
  for (;;) {
    const node = path.at(-1);
    if (!node) return false;
    node.asleep.set(node.taken.name, node.taken.footprint);
    const next = node.choices.find(({ name }) => !node.asleep.has(name));
    if (next) {
      node.taken = next;
      return true;
    }
    path.pop();
  }
}

function start({ store, processes }: Scenario) {
  const waiting = new Map<string, Step>();
  const named = namesByAppearance();
  const living = new Set(Object.keys(processes));
  const counts = new Map<string, number>();

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
        reads: all(footprint.reads).add(lifeOf(process)),
        writes: all(footprint.writes),
        run,
      });
    });
  }

  let taken = 0;

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
      const steps = [...waiting].map(([name, footprint]) => ({ name, footprint }));
      const deaths = mortal.filter(isWaiting).map((name) => ({ name: `kill ${name}`, footprint: deathOf(name) }));
      return [...steps, ...deaths];
    },
    async take(name: string): Promise<string> {
      if (name.startsWith('kill ')) {
        const victim = name.slice('kill '.length);
        living.delete(victim);
        for (const [id, { process }] of waiting) if (process === victim) waiting.delete(id);
        return name;
      }
      const step = waiting.get(name);
      if (!step) throw new Error(`${name} is not waiting: the scenario is not deterministic`);
      waiting.delete(name);
      taken += 1;
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
