/**
 * Credentials of which the broker says that they live, for the proxy in front of an API that never asks. It is asked before a
 * request is sent on, if it was not within the last second. While requests run, the proxy waits at the broker for the end of their
 * credential: one question for all of them, answered in the moment of the end.
 */
import os from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { elapsed } from '../../client/elapsed.js';
import {
  MayflyError,
  Refused,
  TaskEnded,
  Unavailable,
  type Credential,
  type Task,
  type Wish,
} from '../../client/index.js';

/** What the broker said is good for so long. */
const FRESH_MS = 1_000;
/** The broker answers so soon where nothing ends, so that its silence is noticed in time. */
const WAIT_SECONDS = 2;
/** What runs is cut when the broker has not been heard for so long. */
const UNHEARD_MS = 5_000;
/** An API that always answers 401 must not make the broker issue a credential for each call. */
const REFUSALS_APART_MS = 5_000;

/** Names this process in receipts of revocations. */
export const instance = `${os.hostname().slice(0, 50)}:${process.pid}`;

/** A request on its way. */
interface Running {
  /**
   * Answered for by the next one when it runs out: a stream may last longer than a credential. Undefined once the API has refused it:
   * it is given back then, and its death is no reason to cut what the API answers to that.
   */
  credential: Credential | undefined;
  cut: (why: Error) => void;
}

interface Run {
  /** The API refused its credential. Returns whether another one is worth a try. */
  refused: () => boolean;
  /** It goes on with another credential. */
  replace: (next: Credential) => void;
  done: () => void;
}

export class LiveAccess {
  readonly #task: Task;
  readonly #target: string;
  readonly #wish: Wish;
  readonly #running = new Set<Running>();
  /** When the last question was asked that the broker answered with yes. */
  readonly #heard = new WeakMap<Credential, number>();
  readonly #asking = new Map<Credential, Promise<boolean>>();
  /** Those for whose end the proxy waits at the broker. */
  readonly #awaited = new Set<Credential>();
  readonly #closing = new AbortController();
  #watching: NodeJS.Timeout | undefined;
  #refusedAt = -Infinity;

  constructor(task: Task, target: string, wish: Wish) {
    this.#task = task;
    this.#target = target;
    this.#wish = wish;
    task.signal.addEventListener('abort', () => this.cutAll(task.signal.reason as Error));
  }

  /**
   * Returns a credential that the broker said within the last second lives. Throws TaskEnded and Refused where there is none, and
   * Unavailable or IdentityUnavailable where nobody knows.
   */
  async credential(): Promise<Credential> {
    const kept = await this.#next();
    if (await this.#isLive(kept)) return kept;
    // A cutoff, or a theft, kills a credential and not its task.
    const other = await this.#next();
    if (await this.#isLive(other)) return other;
    throw new Unavailable('The broker issues a credential and says that it is dead.');
  }

  /** Has the request cut when its access is over. Call `done` when it has ended. */
  run(credential: Credential, cut: Running['cut']): Run {
    const running: Running = { credential, cut };
    this.#running.add(running);
    this.#watching ??= setInterval(() => void this.#watch(), FRESH_MS);
    this.#await(credential);
    return {
      refused: () => {
        running.credential = undefined;
        return this.#refused(credential);
      },
      replace: (next) => {
        running.credential = next;
        this.#await(next);
      },
      done: () => {
        this.#running.delete(running);
        if (this.#running.size > 0) return;
        clearInterval(this.#watching);
        this.#watching = undefined;
      },
    };
  }

  /** Returns whether another one is worth a try. */
  #refused(credential: Credential): boolean {
    const now = elapsed();
    if (now - this.#refusedAt < REFUSALS_APART_MS) return false;
    this.#refusedAt = now;
    this.#task.discard(this.#target, this.#wish, credential);
    return true;
  }

  cutAll(why: Error): void {
    for (const { cut } of this.#running) cut(why);
  }

  /** Asks no more. */
  close(): void {
    clearInterval(this.#watching);
    this.#closing.abort();
  }

  #next = (): Promise<Credential> => this.#task.credential(this.#target, this.#wish);

  async #isLive(credential: Credential): Promise<boolean> {
    return elapsed() - this.#heardAt(credential) < FRESH_MS || this.#ask(credential);
  }

  #heardAt = (credential: Credential): number => this.#heard.get(credential) ?? -Infinity;

  #ask(credential: Credential): Promise<boolean> {
    const asked =
      this.#asking.get(credential) ?? this.#askNow(credential).finally(() => this.#asking.delete(credential));
    this.#asking.set(credential, asked);
    return asked;
  }

  async #askNow(credential: Credential): Promise<boolean> {
    const from = elapsed();
    return this.#hear(credential, await this.#task.isAlive(credential), from);
  }

  /** @param at When that was true, at the earliest. */
  #hear(credential: Credential, isAlive: boolean, at: number): boolean {
    if (isAlive) this.#heard.set(credential, Math.max(at, this.#heardAt(credential)));
    else
      this.#cutThoseWith(credential, new MayflyError('The credential is dead: it was revoked, or its task has ended.'));
    return isAlive;
  }

  /** Waits for the end of a credential while requests run with it. */
  #await(credential: Credential): void {
    if (this.#awaited.has(credential)) return;
    void this.#untilDead(credential);
  }

  async #untilDead(credential: Credential): Promise<void> {
    const { signal } = this.#closing;
    this.#awaited.add(credential);
    let isAlive = true;
    while (isAlive && !signal.aborted && this.#isInUse(credential)) {
      const from = elapsed();
      isAlive = await this.#waitOnce(credential, from);
      // Whoever answers at once, although nothing has ended, is not asked more often than once a second.
      if (isAlive) await pause(Math.max(0, from + FRESH_MS - elapsed()), undefined, { signal }).catch(() => undefined);
    }
    this.#awaited.delete(credential);
  }

  /** Returns false once the credential is dead, and what ran with it is cut. */
  async #waitOnce(credential: Credential, from: number): Promise<boolean> {
    const { signal } = this.#closing;
    try {
      const { isAlive, forMs } = await this.#task.untilDead(credential, { seconds: WAIT_SECONDS, instance, signal });
      if (this.#hear(credential, isAlive, from + forMs)) return true;
      // For the receipt alone: if the broker cannot be told, the receipt is silent about this proxy.
      await this.#task.reportOutOfUse(credential, instance).catch(() => undefined);
      return false;
    } catch {
      // An older broker does not know the question, and one that is away may come back: it is asked without waiting.
      return this.#ask(credential).catch((error: unknown) => {
        this.#cutIfOver(error);
        return true;
      });
    }
  }

  #isInUse = (credential: Credential): boolean => [...this.#running].some((one) => one.credential === credential);

  #cutThoseWith(credential: Credential, why: Error): void {
    for (const running of this.#running) if (running.credential === credential) running.cut(why);
  }

  #cutIfOver(error: unknown): void {
    // Whether the broker may be asked again in time, the next turn says.
    if (error instanceof TaskEnded || (error instanceof Refused && error.retry !== 'later')) this.cutAll(error);
  }

  async #watch(): Promise<void> {
    const unheard = elapsed() - UNHEARD_MS;
    for (const { credential, cut } of this.#running) {
      if (credential && this.#heardAt(credential) < unheard)
        cut(new Unavailable('The broker has not been heard for five seconds.'));
    }
    await this.#succeed().catch((error: unknown) => this.#cutIfOver(error));
  }

  /** Puts the next credential in the place of those that have run out. */
  async #succeed(): Promise<void> {
    const over = [...this.#running].filter(({ credential }) => credential?.expiresInSeconds === 0);
    if (over.length === 0) return;
    const next = await this.#next();
    if (!(await this.#isLive(next))) return;
    for (const running of over) running.credential = next;
    this.#await(next);
  }
}
