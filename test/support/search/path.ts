/**
 * The path of a search through the orders of steps, and which choices at each of its nodes are worth trying.
 *
 * Orders that differ only in swapping neighbouring steps which do not touch the same thing end in the same state. One of them is
 * enough: another choice is tried at a node where a step of the path could have come before one that it conflicts with (source
 * sets, Abdulla et al. 2014), and not where it leads to what has been tried (sleep sets, Godefroid 1996).
 */
import { conflict, type Footprint } from './stepped-store.js';

export interface Choice {
  name: string;
  footprint: Footprint;
  /** The length of the path when it appeared: the step before, if any, has caused it. */
  born: number;
  /** Nothing on the path leads to it, so it is tried wherever it can be: the death of a process. */
  always?: true;
}

interface Node {
  choices: readonly Choice[];
  /** What leads to nothing new from here. */
  asleep: Map<string, Footprint>;
  /** What is to be tried here. */
  wanted: Set<string>;
  taken: Choice;
  /** The steps on the path that `taken` comes after in every order that ends in the same state, as bits. */
  after: bigint;
}

export class SearchPath {
  readonly #nodes: Node[] = [];

  /** Returns what is to be taken at this depth; undefined where all that can be taken leads to what has been tried. */
  at(depth: number, choices: readonly Choice[]): Choice | undefined {
    return (this.#nodes[depth] ?? this.#grow(choices))?.taken;
  }

  #grow(choices: readonly Choice[]): Node | undefined {
    const parent = this.#nodes.at(-1);
    const asleep = new Map(
      [...(parent?.asleep ?? [])].filter(([, footprint]) => parent && !conflict(footprint, parent.taken.footprint)),
    );
    const awake = choices.filter(({ name }) => !asleep.has(name));
    const taken = awake.find(({ always }) => !always) ?? awake[0];
    if (!taken) return undefined;
    const wanted = new Set([taken, ...awake.filter(({ always }) => always)].map(({ name }) => name));
    const node: Node = { choices, asleep, wanted, taken, after: 0n };
    this.#nodes.push(node);
    this.#compare();
    return node;
  }

  /** Moves to the next choice that is to be tried, deepest first. Returns false when none is left. */
  backtrack(): boolean {
    for (;;) {
      const node = this.#nodes.at(-1);
      if (!node) return false;
      node.asleep.set(node.taken.name, node.taken.footprint);
      const next = node.choices.find(({ name }) => node.wanted.has(name) && !node.asleep.has(name));
      if (next) {
        node.taken = next;
        this.#compare();
        return true;
      }
      this.#nodes.pop();
    }
  }

  /** Compares the last step with those before it: what it conflicts with, and was not bound to follow, it could have come before. */
  #compare(): void {
    const depth = this.#nodes.length - 1;
    const { [depth]: last } = this.#nodes;
    if (!last) return;
    const cause = last.taken.born - 1;
    last.after = this.#upTo(cause);
    const races: number[] = [];
    for (let other = depth - 1; other >= 0; other -= 1) {
      if (last.after & bit(other) || !conflict(this.#nodes[other]!.taken.footprint, last.taken.footprint)) continue;
      races.push(other);
      last.after |= this.#upTo(other);
    }
    for (const other of races) this.#reverse(other, depth);
  }

  /** The step, and all that it comes after. */
  #upTo(step: number): bigint {
    const node = this.#nodes[step];
    return node ? node.after | bit(step) : 0n;
  }

  /** Sees to it that an order is tried in which the later step comes before the earlier one. */
  #reverse(earlier: number, later: number): void {
    const node = this.#nodes[earlier]!;
    const between = this.#nodes.flatMap(({ after }, at) =>
      at > earlier && at < later && !(after & bit(earlier)) ? [at] : [],
    );
    const steps = [...between, later];
    const all = steps.reduce((bits, step) => bits | bit(step), 0n);
    const firsts = steps
      .filter((step) => !(this.#nodes[step]!.after & all))
      .map((step) => this.#nodes[step]!.taken.name);
    if (firsts.some((name) => node.wanted.has(name) || node.asleep.has(name))) return;
    const first = firsts.find((name) => node.choices.some((choice) => choice.name === name));
    if (first === undefined) throw new Error('a step has another cause than the step before it appeared');
    node.wanted.add(first);
  }
}

const bit = (step: number): bigint => 1n << BigInt(step);
