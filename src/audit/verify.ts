/** Verifies an export of the audit log against a head: it finds every edit, removal, insertion, reordering and truncation. */
import { z } from 'zod';
import { GENESIS, hashOf, type Place } from './chain.js';

type Verification = { ok: true; entries: number } | { ok: false; at: number; reason: string };

const linkSchema = z.looseObject({ seq: z.int(), prev: z.string() });

/**
 * @param lines The lines exactly as exported, without their newlines. Lines of a file must be bytes: decoding them first would
 *   make some damaged bytes look whole.
 * @param head The place named by a signed head that was fetched before the export. A line after it is an insertion.
 * @param checkpoint The place where the chain begins after pruning; it is part of the signed head.
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
    return { ok: false, at: seq, reason: 'the last line was changed: its hash is not the one in the head' };
  return { ok: true, entries: seq - checkpoint.seq };
}

function linkOf(line: string | Uint8Array): z.infer<typeof linkSchema> | undefined {
  try {
    // Decoding may lose damaged bytes. That decides nothing: the hash is over the bytes.
    const text = Buffer.from(line).toString('utf8');
    return linkSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines, byte for byte. Carriage returns and blank lines stay, so that verification finds them. */
export async function* cutLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let unfinished: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      yield Buffer.concat([...unfinished, chunk.subarray(start, end)]);
      unfinished = [];
      start = end + 1;
    }
    if (start < chunk.length) unfinished.push(chunk.subarray(start));
  }
  if (unfinished.length > 0) yield Buffer.concat(unfinished);
}
