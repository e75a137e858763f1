/**
 * The stored form of the audit log, which is one head and batches of lines that were written together; and the signature of
 * the head.
 */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { natural } from '../domain/schemas.js';
import { toSeconds, type Clock } from '../domain/time.js';
import type { Keys } from '../keys/keys.js';
import type { Key, Records } from '../store/store.js';
import { GENESIS, placeSchema, type Place } from './chain.js';

export const HEAD: Key = 'audit/head';
/** The index of batches. Member: the number of the first line; score: the number of the last line. */
export const BATCHES: Key = 'audit/batches';
export const batchKey = (first: number | string): Key => `audit/${first}`;

/** Every write adds a line and so raises the number: equal bytes mean that nobody wrote in between. */
const headSchema = z.strictObject({
  ...placeSchema.shape,
  /**
   * The last revocation that was followed into the audit log, by number and id. The id is empty after a gap, where it is
   * unknown.
   */
  followed: z.strictObject({ seq: natural, id: z.string() }),
  /** The last line that was pruned, and the broker's signature over its place. */
  checkpoint: z.strictObject({ ...placeSchema.shape, signed: z.string() }).optional(),
});
export type Head = z.infer<typeof headSchema>;

const EMPTY: Head = { ...GENESIS, followed: { seq: 0, id: '' } };

export const parseHead = (text: string | undefined): Head =>
  text === undefined ? EMPTY : headSchema.parse(JSON.parse(text));

export async function readHead(records: Pick<Records, 'read'>): Promise<Head> {
  const [text] = await records.read([HEAD]);
  return parseHead(text);
}

interface Batch {
  /** A random id, by which a writer that got no answer finds out whether its batch was stored. */
  id: string;
  lines: string[];
}

/** Lines are joined by newlines: JSON escapes them within a line. */
export const formatBatch = ({ id, lines }: Batch): string => [id, ...lines].join('\n');

export function parseBatch(text: string): Batch {
  const [id = '', ...lines] = text.split('\n');
  return { id, lines };
}

/** Anchored elsewhere, the signed head makes a later rewriting of the log visible. */
export const AUDIT_HEAD_TYP = 'mayfly-audit-head+jwt';
const AUDIT_CHECKPOINT_TYP = 'mayfly-audit-checkpoint+jwt';

export interface SignerDeps {
  keys: Pick<Keys, 'sign'>;
  issuer: string;
  clock: Clock;
}

export const signHead = ({ keys, issuer, clock }: SignerDeps, { seq, hash, checkpoint }: Head): Promise<string> =>
  keys.sign(
    defined({
      iss: issuer,
      iat: toSeconds(clock.unchecked()),
      head: { seq, hash },
      checkpoint: checkpoint && { seq: checkpoint.seq, hash: checkpoint.hash },
    }),
    { typ: AUDIT_HEAD_TYP },
  );

export const signCheckpoint = ({ keys, issuer, clock }: SignerDeps, checkpoint: Place): Promise<string> =>
  keys.sign(
    { iss: issuer, iat: toSeconds(clock.unchecked()), checkpoint: { ...checkpoint } },
    { typ: AUDIT_CHECKPOINT_TYP },
  );
