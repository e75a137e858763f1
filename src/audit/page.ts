/** Reads the audit log, always as the exact lines: pages that pass a filter, or all of it. */
import { z } from 'zod';
import { FORGET_MARGIN_MS } from '../domain/limits.js';
import { BEHIND_ALL_MEMBERS, type Records } from '../store/store.js';
import { BATCHES, batchKey, parseBatch, readHead } from './head.js';

/** How many lines one page reads at most, whatever the filter. Its cursor says how far it came. */
const LINES_SCANNED = 5_000;
const BATCHES_AT_ONCE = 16;

export interface AuditFilter {
  task?: string;
  workload?: string;
  credential?: string;
  /** The id of a policy decision. */
  decision?: string;
  type?: string;
  requestId?: string;
  /** Milliseconds; `from` inclusive, `to` exclusive. */
  from?: number;
  to?: number;
}

export interface AuditPage {
  lines: string[];
  /** The `after` of the next page; absent on the last page. A page may be empty and not be the last. */
  next?: number;
}

export interface PageQuery {
  after?: number;
  limit: number;
  filter?: AuditFilter;
  /**
   * Returns whether the line belongs to the page, where no filter can express that. It is called for each line that passes
   * the filter, in order.
   */
  concerns?: (line: string) => boolean;
}

type Reader = Pick<Records, 'read' | 'range'>;

export async function readPage(
  records: Reader,
  { after = 0, limit, filter = {}, concerns = () => true }: PageQuery,
): Promise<AuditPage> {
  const matches = matcher(filter);
  const lines: string[] = [];
  let scanned = 0;
  for await (const [seq, line] of linesAfter(records, await seek(records, after, filter.from))) {
    if (matches(line) && concerns(line)) lines.push(line);
    scanned += 1;
    if (lines.length < limit && scanned < LINES_SCANNED) continue;
    return isBeyond(line, filter.to) ? { lines } : { lines, next: seq };
  }
  return { lines };
}

/** Returns whether all that comes after the line is too late, although the clocks of brokers differ. */
const isBeyond = (line: string, to = Infinity): boolean => timeOf(line) - FORGET_MARGIN_MS > to;

/** Returns every line after `after` that is kept, with its number. */
export async function* linesAfter(
  records: Reader,
  after: number,
  batchesAtOnce = BATCHES_AT_ONCE,
): AsyncGenerator<[seq: number, line: string]> {
  let last = after;
  for (;;) {
    // This finds the first batch whose last line comes after `last`.
    const batches = await records.range(BATCHES, { after: [last, BEHIND_ALL_MEMBERS], limit: batchesAtOnce });
    if (batches.length === 0) return;
    const texts = await records.read(batches.map(([first]) => batchKey(first)));
    for (const [index, [first]] of batches.entries()) {
      yield* numbered(Number(first), texts[index], last);
    }
    last = batches.at(-1)?.[1] ?? last;
  }
}

/** Returns the lines of one batch after `after`. Without a text the batch was pruned meanwhile. */
function* numbered(first: number, text: string | undefined, after: number): Generator<[seq: number, line: string]> {
  if (text === undefined) return;
  for (const [offset, line] of parseBatch(text).lines.entries()) {
    if (first + offset > after) yield [first + offset, line];
  }
}

/**
 * Skips, by bisection, the lines that are surely older than `from`. Times rise along the chain, except as far as brokers'
 * clocks differ.
 */
async function seek(records: Reader, after: number, from: number | undefined): Promise<number> {
  if (from === undefined) return after;
  let [low, high] = [after, (await readHead(records)).seq];
  while (high - low > LINES_SCANNED) {
    const middle = Math.floor((low + high) / 2);
    const next = await linesAfter(records, middle, 1).next();
    if (next.done === true) return low;
    if (timeOf(next.value[1]) < from - FORGET_MARGIN_MS) low = middle;
    else high = middle;
  }
  return low;
}

/** The fields that filters use. Lines of other versions may have more or fewer. */
const factsSchema = z.looseObject({
  type: z.string(),
  at: z.number(),
  task: z.string().optional(),
  workload: z.string().optional(),
  credential: z.string().optional(),
  requestId: z.string().optional(),
  decision: z.looseObject({ id: z.string() }).optional(),
});

export const timeOf = (line: string): number => factsSchema.parse(JSON.parse(line)).at;

function matcher(filter: AuditFilter): (line: string) => boolean {
  const { decision, from = 0, to = Infinity, ...exact } = filter;
  const fields = Object.entries(exact);
  // A line that does not contain the text is not parsed.
  const texts = [...Object.values(exact), ...(decision === undefined ? [] : [decision])];
  const needles = texts.map((text) => JSON.stringify(text));
  return (line) => {
    if (!needles.every((needle) => line.includes(needle))) return false;
    const facts = factsSchema.parse(JSON.parse(line));
    if (facts.at < from || facts.at >= to) return false;
    if (decision !== undefined && facts.decision?.id !== decision) return false;
    return fields.every(([field, value]) => facts[field] === value);
  };
}
