/**
 * The audit log: one hash chain for all brokers. A grant waits until its entry is stored; revocations are entered
 * afterwards.
 */
import { defined } from '../domain/defined.js';
import type { Log, Records } from '../store/store.js';
import { appender, takingTurns } from './appender.js';
import { entryText, type Place } from './chain.js';
import type { AuditEvent } from './event.js';
import { extender } from './extend.js';
import { newsSince } from './follow.js';
import { readHead, signCheckpoint, signHead, type SignerDeps } from './head.js';
import { linesAfter, readPage, type AuditPage, type PageQuery } from './page.js';
import { prunedBefore } from './prune.js';

/** Longer than a failover of the store takes, and shorter than callers wait. */
const GIVE_UP_AFTER_MS = 2_000;

export interface AuditDeps extends SignerDeps {
  records: Records;
  log: Log;
  /** The broker that writes. */
  node: string;
  /** How long an entry may wait for a store that does not accept it. */
  giveUpAfterMs?: number;
}

export interface AuditLog {
  /**
   * Resolves once the entry is durable in the chain. Rejects with `temporarily_unavailable` when the store did not accept
   * it in time. The entry may still be stored later, so the caller must undo what it describes, and never repeat it under
   * the same id.
   */
  append(event: AuditEvent): Promise<void>;
  /** Enters every revocation that was published before the call. It is called after each publication, and by the schedule. */
  catchUp(): Promise<void>;
  page(query: PageQuery): Promise<AuditPage>;
  /** Returns the exact lines with numbers above `after` up to `to`, by default all. Throws when they are pruned meanwhile. */
  exportLines(range?: { after?: number; to?: number }): AsyncIterable<string>;
  head(): Promise<Place & { checkpoint?: Place & { signed: string } }>;
  /** Returns a JWS (`AUDIT_HEAD_TYP`) over `{iss, iat, head, checkpoint?}`. */
  signedHead(): Promise<string>;
  /** Removes entries older than `before`, in milliseconds. */
  prune(before: number): Promise<void>;
}

export function openAuditLog(deps: AuditDeps): AuditLog {
  const { records, clock, node } = deps;
  const extend = extender(records, deps.giveUpAfterMs ?? GIVE_UP_AFTER_MS);
  const inTurn = takingTurns();
  const appendEntry = appender(extend, inTurn);
  const signer = (checkpoint: Place): Promise<string> => signCheckpoint(deps, checkpoint);
  let following: Promise<void> | undefined;

  async function follow(): Promise<boolean> {
    following = undefined; // A revocation published from here on may be missed by this round: the next caller starts another.
    return extend(async ({ followed }) => {
      const news = await newsSince(deps.log, followed);
      const entries = news?.events.map((event) => entryText({ ...event, at: clock.unchecked(), node }));
      return news && entries && { entries, head: { followed: news.followed } };
    });
  }

  /** Runs rounds until one adds nothing. Each round queues again, so that appends come in between. */
  async function whileSomethingIsAdded(round: () => Promise<boolean>): Promise<void> {
    while (await inTurn(round));
  }

  return {
    append: async (event) => appendEntry(entryText({ ...event, node })),
    catchUp: () => (following ??= whileSomethingIsAdded(follow)),
    page: (query) => readPage(records, query),
    exportLines: ({ after = 0, to = Infinity } = {}) => unbroken(records, after, to),
    async head() {
      const { seq, hash, checkpoint } = await readHead(records);
      return defined({ seq, hash, checkpoint });
    },
    signedHead: async () => signHead(deps, await readHead(records)),
    prune(before) {
      // Pruning stops before the present: otherwise each round would prune the entry that the last one wrote.
      const pruned = prunedBefore({ records, clock, node, signCheckpoint: signer }, Math.min(before, clock.now()));
      return whileSomethingIsAdded(() => extend(pruned));
    },
  };
}

async function* unbroken(records: Records, after: number, to: number): AsyncGenerator<string> {
  let expected: number | undefined;
  for await (const [seq, line] of linesAfter(records, after)) {
    if (seq > to) return;
    if (expected !== undefined && seq !== expected) throw new Error('the audit log was pruned while it was exported');
    expected = seq + 1;
    yield line;
  }
}
