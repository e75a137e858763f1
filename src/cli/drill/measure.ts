/** A drill: verifiers follow the feed of a broker, a revocation is published, and each must deny what hangs on it. */
import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '../../domain/id.js';
import { createVerifier, type Claims, type Verifier } from '../../verifier/index.js';
import { createReader } from '../../verifier/feed-events.js';
import type { Ended } from '../../verifier/follow.js';
import { formatEpoch } from '../../domain/liveness.js';
import { createShadows, SHADOW } from './shadow.js';

export interface DrillSize {
  verifiers: number;
  /** Shadow credentials in all. Each is in use at one verifier, and dies with one publication. */
  credentials: number;
  publications: number;
}

interface DrillDeps {
  /** The origin of the broker. */
  broker: string;
  /** The identity token of whoever drills. */
  token: string;
  /** Publishes the end of a drill. Returns the number of the entry. */
  publish: (id: string) => Promise<number>;
}

export interface Measured {
  /**
   * One for each verifier and publication: from sending it until the verifier had denied everything that it ended. Milliseconds.
   */
  waits: number[];
  /** Shadow credentials that were denied, of `credentials`. */
  denied: number;
  /** The first and the last entry of the log. */
  seqs: [first: number, last: number];
}

const READY_WITHIN_MS = 30_000;
/** What is not denied by then is reported as not denied. */
const PATIENCE_MS = 15_000;
/** Others use the broker too. */
const PAUSE_MS = 100;

/** Throws where the verifiers cannot follow, or where a shadow is not alive before its end: then nothing is measured. */
export async function measureDrill(
  deps: DrillDeps,
  size: DrillSize,
  patienceMs: number = PATIENCE_MS,
): Promise<Measured> {
  const shadows = await createShadows();
  let ended: Ended = { why: 'they hear nothing', isRefused: false };
  const verifiers = Array.from({ length: size.verifiers }, (_, index) =>
    createVerifier({
      issuer: SHADOW,
      audience: SHADOW,
      url: deps.broker,
      identity: () => deps.token,
      instance: `drill-${index + 1}`,
      fetch: shadows.fetch,
      observe(seen) {
        if (seen.is === 'ended') ended = seen;
      },
    }),
  );
  try {
    await readyWithin(verifiers, () => ended);
    const epoch = await placeOf(deps);
    const measured: Measured = { waits: [], denied: 0, seqs: [0, 0] };
    for (let round = 0; round < size.publications; round += 1) {
      const id = newId('drl');
      const work = await inUse(verifiers, await shadows.token(id, epoch), shareOf(size, round));
      const { seq, waits } = await endOf(work, () => deps.publish(id), patienceMs);
      measured.waits.push(...waits);
      measured.denied += work.reduce((sum, { credentials, left }) => sum + Math.max(0, credentials - left.size), 0);
      measured.seqs = [measured.seqs[0] || seq, seq];
      await pause(PAUSE_MS);
    }
    return measured;
  } finally {
    for (const verifier of verifiers) verifier.close();
  }
}

async function readyWithin(verifiers: readonly Verifier[], lastEnd: () => Ended): Promise<void> {
  const patience = AbortSignal.timeout(READY_WITHIN_MS);
  while (!verifiers.every((verifier) => verifier.isReady())) {
    const { why, isRefused } = lastEnd();
    // A permit that is missing does not come by waiting.
    if (patience.aborted || isRefused) throw new Error(`The verifiers cannot follow the feed: ${why}.`);
    await pause(50);
  }
}

/** Returns the place of the log now, at which a shadow may be born. */
async function placeOf({ broker, token }: DrillDeps): Promise<string> {
  const leaving = AbortSignal.timeout(READY_WITHIN_MS);
  const { body, status } = await fetch(`${broker}/revocations/feed?instance=drill`, {
    headers: { Authorization: `Bearer ${token}` },
    redirect: 'manual',
    signal: leaving,
  });
  const [read, decoder] = [createReader(), new TextDecoder()];
  for await (const piece of (body ?? []) as AsyncIterable<Uint8Array>)
    for (const { event, data } of read(decoder.decode(piece, { stream: true })))
      if (event === 'complete') return formatEpoch(data);
  throw new Error(`The feed cannot be read: the broker answers ${status}.`);
}

/** What one verifier lets through in one round. */
interface Work {
  verifier: Verifier;
  token: string;
  credentials: number;
  /** Those that are not denied yet. */
  left: Set<Claims>;
  deniedAt: number;
}

/** Returns how many credentials each verifier has in use in this round, one more for the first ones where it does not divide. */
function shareOf({ verifiers, credentials, publications }: DrillSize, round: number): number[] {
  const ofRound = part(credentials, publications, round);
  return Array.from({ length: verifiers }, (_, index) => part(ofRound, verifiers, index));
}

const part = (whole: number, parts: number, index: number): number =>
  Math.floor(whole / parts) + (index < whole % parts ? 1 : 0);

/** Each verifier verifies the token of the round, and has work running under each of its credentials. */
const inUse = (verifiers: readonly Verifier[], token: string, share: readonly number[]): Promise<Work[]> =>
  Promise.all(
    verifiers.map(async (verifier, index) => {
      const shadow = await verifier.verify(token);
      const credentials = share[index] ?? 0;
      const work: Work = { verifier, token, credentials, left: new Set(), deniedAt: NaN };
      // The token itself counts as none: it makes each verifier answer, also one without a share.
      for (let each = 0; each <= credentials; each += 1) {
        const claims = { ...shadow, jti: `${shadow.jti}.${each}` };
        work.left.add(claims);
        verifier.onRevoked(claims, ({ reason }) => {
          // Silence or expiry would deny too, and would say nothing about the revocation.
          if (reason !== 'dead') return;
          work.left.delete(claims);
          if (work.left.size === 0) work.deniedAt = performance.now();
        });
      }
      return work;
    }),
  );

async function endOf(
  work: readonly Work[],
  publish: () => Promise<number>,
  patienceMs: number,
): Promise<{ seq: number; waits: number[] }> {
  const sentAt = performance.now();
  const seq = await publish();
  const patience = AbortSignal.timeout(patienceMs);
  while (!patience.aborted && work.some(({ left }) => left.size > 0)) await pause(5);
  const denying = await Promise.all(work.map(refuses));
  const waits = work
    .filter(({ left }, index) => left.size === 0 && denying[index] === true)
    .map(({ deniedAt }) => deniedAt - sentAt);
  return { seq, waits };
}

/** Returns whether a request that comes now with the token of the round is refused as revoked. */
const refuses = ({ verifier, token }: Work): Promise<boolean> =>
  verifier.verify(token).then(
    () => false,
    (error: unknown) => (error as { reason?: unknown }).reason === 'dead',
  );
