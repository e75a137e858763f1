/**
 * Tells the broker what was used, so that people can see what was granted and not used. Nothing depends on it: what cannot be told is
 * dropped. A report whose answer was lost is sent again, and may then be counted twice.
 */
import { ask, asBearer, type Connection } from '../client/request.js';
import { elapsed } from '../client/elapsed.js';
import { mayPass } from '../client/errors.js';
import { USE_COUNT_MOST, USES_MOST } from '../protocol/usage.js';
import { scopeOf, type Claims, type Needed } from './claims.js';

const GATHER_MS = 15_000;
/** Different uses that wait. Of more, the credential alone is told; of more credentials than that, nothing. */
const WAITING_MOST = 1_000;
/** After a refusal that repeating does not change: policy may let us report one day. */
const REFUSED_MS = 600_000;

interface Use extends Partial<Needed> {
  credential: string;
  permitted: boolean;
  count: number;
}

interface UsageReporter {
  /** Counts one use. What is no path or no action is counted without them. */
  note(claims: Pick<Claims, 'jti'>, needed: Needed, permitted: boolean): void;
  /** Sends what waits, and nothing more. */
  close(): void;
}

interface Untold {
  uses: number;
  why: string;
}

/** @param onUntold receives how many different uses could not be told, and why */
export function createUsageReporter(
  connection: Connection,
  target: string,
  onUntold: (untold: Untold) => void,
): UsageReporter {
  let waiting = new Map<string, Use>();
  let timer: NodeJS.Timeout | undefined;
  let isTelling = false;
  let pausedUntil = -Infinity;

  async function tell(): Promise<void> {
    timer = undefined;
    if (isTelling) {
      arm();
      return;
    }
    isTelling = true;
    const uses = [...waiting.values()];
    waiting = new Map();
    const failed = await send(connection, target, uses);
    if (failed && !mayPass(failed.error)) pausedUntil = elapsed() + REFUSED_MS;
    if (failed) onUntold({ uses: failed.uses, why: (failed.error as Error).message });
    isTelling = false;
  }

  function arm(): void {
    timer ??= setTimeout(() => void tell(), GATHER_MS).unref();
  }

  /** Returns the use to be counted; undefined when there is no room for it, or nobody takes it. */
  function started(key: string, use: Use, { resource, action }: Needed): Use | undefined {
    if (elapsed() < pausedUntil) return undefined;
    const isNamed = scopeOf({ resource, action }) !== undefined && waiting.size < WAITING_MOST;
    const at = isNamed ? key : `${use.credential} ${use.permitted}`;
    const known = waiting.get(at);
    if (known || waiting.size >= 2 * WAITING_MOST) return known;
    const next = isNamed ? { ...use, resource, action } : use;
    waiting.set(at, next);
    arm();
    return next;
  }

  return {
    note({ jti: credential }, needed, permitted) {
      const key = `${credential} ${permitted} ${needed.action} ${needed.resource}`;
      const known = waiting.get(key) ?? started(key, { credential, permitted, count: 0 }, needed);
      if (known) known.count = Math.min(USE_COUNT_MOST, known.count + 1);
    },
    close() {
      clearTimeout(timer);
      void tell();
    },
  };
}

/** Sends one report after the other. Returns the first failure, and how many uses were not told because of it. */
async function send(connection: Connection, target: string, uses: readonly Use[]) {
  for (let told = 0; told < uses.length; told += USES_MOST) {
    const body = { target, uses: uses.slice(told, told + USES_MOST) };
    try {
      await ask(connection, { path: '/usage', prove: asBearer({ body }) });
    } catch (error: unknown) {
      return { uses: uses.length - told, error };
    }
  }
  return undefined;
}
