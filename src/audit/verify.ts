/** Verifies an export against a head: every edit, removal, insertion, reordering and truncation is found. */
import { z } from 'zod';
import { GENESIS, hashOf, type Place } from './chain.js';

type Verification = { ok: true; entries: number } | { ok: false; at: number; reason: string };

const linkSchema = z.looseObject({ seq: z.int(), prev: z.string() });

/**
 * @param lines Exactly as exported, without their newlines. Bytes where they come from a file: decoding first would make
 *   some damaged bytes look whole.
 * @param head From a signed head that was fetched before the export; a line after it is an insertion.
 * @param checkpoint Where the chain begins when older lines were pruned; part of the signed head.
 */
export async function verifyExport(
  lines: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  head: Place,
  checkpoint: Place = GENESIS,
): Promise<Verification> {
  let { seq, hash } = checkpoint;
  for await (const line of lines) {
    seq += 1;
    if (seq > head.seq) return { ok: false, at: seq, reason: 'there are lines after the head' };
    const link = linkOf(line);
    if (!link) return { ok: false, at: seq, reason: 'not a line of an audit log' };
    if (link.seq !== seq) return { ok: false, at: seq, reason: `line ${link.seq} stands where line ${seq} belongs` };
    if (link.prev !== hash) return { ok: false, at: seq, reason: 'this line, or the one before it, was changed' };
    hash = hashOf(line);
  }
  if (seq < head.seq) return { ok: false, at: seq + 1, reason: `cut off: the head is line ${head.seq}` };
  if (seq > head.seq) return { ok: false, at: seq, reason: 'the checkpoint is after the head' };
  if (hash !== head.hash)
    return { ok: false, at: seq, reason: 'this line, the last, was changed: it is not the one the head vouches for' };
  return { ok: true, entries: seq - checkpoint.seq };
}

function linkOf(line: string | Uint8Array): z.infer<typeof linkSchema> | undefined {
  try {
    const text = Buffer.from(line).toString('utf8'); // What it decodes to decides nothing: the hash is over the bytes.
    return linkSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
