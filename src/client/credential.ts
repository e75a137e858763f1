/** Credentials of one task, each kept until it is nearly over and renewed ahead of that. */
import { randomInt } from 'node:crypto';
import { elapsed } from './elapsed.js';
import { ApprovalNeeded, mayPass, Refused, retryAfterOf, TaskEnded } from './errors.js';

/** A credential as the broker issued it. It is not printed: `console.log` and `JSON.stringify` show no token. */
export class Credential {
  /** What the target takes, as `Authorization: Bearer`. */
  readonly token!: string;
  /** What was granted, as `<path>:<action>`; it may be less than what was asked for. */
  readonly scope: string;
  readonly #usableUntil: number;

  constructor({ token, scope, usableUntil }: { token: string; scope: string; usableUntil: number }) {
    // Not enumerable, so that no logger writes it.
    Object.defineProperty(this, 'token', { value: token, enumerable: false });
    this.scope = scope;
    this.#usableUntil = usableUntil;
  }

  /** Whole seconds that it lives yet; 0 when it is over. */
  get expiresInSeconds(): number {
    return Math.max(0, Math.floor((this.#usableUntil - elapsed()) / 1000));
  }
}

/** An answer of the broker, before it is kept. */
export interface Issued {
  token: string;
  scope: string;
  lifetimeSeconds: number;
}

interface Kept {
  credential: Credential;
  /** From then on it is renewed while it is still handed out. */
  renewAt: number;
  /** It is not handed out after this. */
  usableUntil: number;
}

/** A request takes time to arrive, and a credential that dies on the way helps nobody. */
const SPARE_MS = 5_000;
/** Until a renewal that got no answer is tried again. */
const PAUSE_MS = [2_000, 5_000] as const;

/**
 * Keeps one credential, and asks for the next at 60 to 80 % of its life: at a moment of its own, so that a thousand agents that
 * started together do not renew together. One request at a time is in flight, however many wait for it. A life counts from before the
 * request was sent, by the time that passes: a wrong clock of the agent's host does not matter.
 */
export class KeptCredential {
  readonly #issue: () => Promise<Issued>;
  #kept: Kept | undefined;
  #renewal: Promise<Kept> | undefined;
  /** People had to agree to it: they are not asked again ahead of time, but when it is wanted. */
  #asksPeople = false;

  constructor(issue: () => Promise<Issued>) {
    this.#issue = issue;
  }

  async get(): Promise<Credential> {
    const now = elapsed();
    const kept = this.#kept;
    if (!kept || now >= kept.usableUntil) return (await this.#renew()).credential;
    // Nobody waits for a renewal ahead of time. If it fails, what is kept lives on, and the next call tries again.
    if (now >= kept.renewAt) void this.#renew().catch((error: unknown) => this.#failedAhead(error));
    return kept.credential;
  }

  /** Whether it keeps nothing that lives, and asks for nothing at this moment. */
  get isIdle(): boolean {
    return this.#renewal === undefined && elapsed() >= (this.#kept?.usableUntil ?? 0);
  }

  /** Forgets the credential; if one is named, only that. Returns whether it did: another caller may have been faster. */
  discard(only?: Credential): boolean {
    if (only && this.#kept?.credential !== only) return false;
    this.#kept = undefined;
    return true;
  }

  #renew(): Promise<Kept> {
    this.#renewal ??= this.#fetch().finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }

  async #fetch(): Promise<Kept> {
    const from = elapsed();
    const { token, scope, lifetimeSeconds } = await this.#issue().catch((error: unknown) => {
      this.#asksPeople ||= error instanceof ApprovalNeeded;
      throw error;
    });
    const lifeMs = lifetimeSeconds * 1000;
    const usableUntil = from + lifeMs - Math.min(SPARE_MS, lifeMs / 10);
    const kept = {
      credential: new Credential({ token, scope, usableUntil }),
      renewAt: this.#asksPeople ? usableUntil : from + (lifeMs * randomInt(600, 800)) / 1000,
      usableUntil,
    };
    this.#kept = kept;
    return kept;
  }

  /**
   * A refusal counts: what is kept may be dead by the same hold, or be more than policy permits now. It is dropped, and the next call
   * learns why. No answer does not count, nor does "later": they only put the next attempt off, for each client by another time, so that
   * a broker that comes back is not asked by all of them at once.
   */
  #failedAhead(error: unknown): void {
    // What people agreed to lives on, while they are asked about the next.
    if (error instanceof ApprovalNeeded) {
      if (this.#kept) this.#kept.renewAt = this.#kept.usableUntil;
      return;
    }
    if (error instanceof TaskEnded || (error instanceof Refused && !mayPass(error))) this.discard();
    if (!this.#kept) return;
    const pauseMs = randomInt(...PAUSE_MS);
    this.#kept.renewAt = elapsed() + Math.max(pauseMs, (retryAfterOf(error) ?? 0) * 1000);
  }
}
