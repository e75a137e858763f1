/**
 * Credentials of which the broker says that they live, for the proxy in front of an API that never asks. It is asked before a
 * request is sent on, if it was not within the last second, and each second while requests run: one question for all of them.
 */
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
/** What runs is cut when the broker has not been heard for so long. */
const UNHEARD_MS = 5_000;
/** An API that always answers 401 must not make the broker issue a credential for each call. */
const REFUSALS_APART_MS = 5_000;

/** A request on its way. */
interface Running {
  /** Answered for by the next one when it runs out: a stream may last longer than a credential. */
  credential: Credential;
  cut: (why: Error) => void;
}

export class LiveAccess {
  readonly #task: Task;
  readonly #target: string;
  readonly #wish: Wish;
  readonly #running = new Set<Running>();
  /** When the last question was asked that the broker answered with yes. */
  readonly #heard = new WeakMap<Credential, number>();
  readonly #asking = new Map<Credential, Promise<boolean>>();
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
  run(credential: Credential, cut: Running['cut']): { replace: (next: Credential) => void; done: () => void } {
    const running: Running = { credential, cut };
    this.#running.add(running);
    this.#watching ??= setInterval(() => void this.#watch(), FRESH_MS);
    return {
      replace: (next) => (running.credential = next),
      done: () => {
        this.#running.delete(running);
        if (this.#running.size > 0) return;
        clearInterval(this.#watching);
        this.#watching = undefined;
      },
    };
  }

  /** The API refused the credential. Returns whether another one is worth a try. */
  refused(credential: Credential): boolean {
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
    const isAlive = await this.#task.isAlive(credential);
    if (isAlive) this.#heard.set(credential, from);
    else
      this.#cutThoseWith(credential, new MayflyError('The credential is dead: it was revoked, or its task has ended.'));
    return isAlive;
  }

  #cutThoseWith(credential: Credential, why: Error): void {
    for (const running of this.#running) if (running.credential === credential) running.cut(why);
  }

  async #watch(): Promise<void> {
    const unheard = elapsed() - UNHEARD_MS;
    for (const { credential, cut } of this.#running) {
      if (this.#heardAt(credential) < unheard) cut(new Unavailable('The broker has not been heard for five seconds.'));
    }
    try {
      await this.#succeed();
      await Promise.all(
        [...new Set([...this.#running].map(({ credential }) => credential))].map((one) => this.#ask(one)),
      );
    } catch (error) {
      // Whether the broker may be asked again in time, the next turn says.
      if (error instanceof TaskEnded || (error instanceof Refused && error.retry !== 'later')) this.cutAll(error);
    }
  }

  /** Puts the next credential in the place of those that have run out. */
  async #succeed(): Promise<void> {
    const over = [...this.#running].filter(({ credential }) => credential.expiresInSeconds === 0);
    if (over.length === 0) return;
    const next = await this.#next();
    if (!(await this.#isLive(next))) return;
    for (const running of over) running.credential = next;
  }
}
