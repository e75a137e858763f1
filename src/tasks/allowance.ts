/**
 * What the parties of an account may have of something, counted in the store. A count is dear, so a broker remembers it for ten
 * seconds and adds what it has let through since, up to an eighth of what was left. Near the limit, where an eighth is less than
 * one, each request counts anew. With several brokers each may use such an eighth before it sees the others.
 */
import { LRUCache } from 'lru-cache';
import type { Cause } from '../domain/selector.js';
import type { Clock } from '../domain/time.js';
import type { Account, Level } from '../ledger/accounts.js';

interface Allowance {
  /**
   * Takes so much for every account. Returns the account that has not enough left, and then nothing was taken.
   * @param accounts The widest first. What all parties of an account have together bounds what one of them has, so narrower
   * accounts are not counted while the wider one is far below their limits.
   */
  take(accounts: readonly Account[], wanted: number): Promise<Account | undefined>;
}

interface AllowanceOptions {
  limits: Readonly<Record<Level, number>>;
  count: (account: Cause) => Promise<number>;
  clock: Pick<Clock, 'elapsed'>;
}

interface Counted {
  at: number;
  total: number;
  /** What was let through since. */
  taken: number;
}

const COUNT_KNOWN_MS = 10_000;
const SHARE = 1 / 8;
const ACCOUNTS_MAX = 10_000;

export function createAllowance({ limits, count, clock }: AllowanceOptions): Allowance {
  const known = new LRUCache<Cause, Counted>({ max: ACCOUNTS_MAX });
  const counting = new Map<Cause, Promise<Counted>>();

  /** Requests that wait for a count at the same time share it, and see what each of them takes. */
  function countAnew(account: Cause): Promise<Counted> {
    const running = counting.get(account);
    if (running) return running;
    const at = clock.elapsed();
    const begun = count(account)
      .then((total) => {
        const counted = { at, total, taken: 0 };
        known.set(account, counted);
        return counted;
      })
      .finally(() => counting.delete(account));
    counting.set(account, begun);
    return begun;
  }

  return {
    async take(accounts, wanted) {
      /** Returns whether a count that others may have passed meanwhile is still good enough for this limit. */
      const isFarBelow = (limit: number, { total, taken }: Counted) => taken + wanted <= (limit - total) * SHARE;
      const asked: [Account, Counted][] = [];
      for (const [place, one] of accounts.entries()) {
        const last = known.get(one.account);
        const isKnown = last !== undefined && clock.elapsed() - last.at < COUNT_KNOWN_MS;
        const counted = isKnown && isFarBelow(limits[one.level], last) ? last : await countAnew(one.account);
        asked.push([one, counted]);
        const narrower = accounts.slice(place + 1).map(({ level }) => limits[level]);
        if (isFarBelow(Math.min(...narrower), counted)) break;
      }
      const full = asked.find(([{ level }, { total, taken }]) => total + taken + wanted > limits[level]);
      if (!full) for (const [, counted] of asked) counted.taken += wanted;
      return full?.[0];
    },
  };
}
