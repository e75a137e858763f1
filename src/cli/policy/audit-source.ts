/** Reads the audit log for commands about policy: from a broker, or from an export of it. Never more than a page of it is in memory. */
import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { parseEntry, type AuditEntry } from '../../audit/event.js';
import { cutLines } from '../../audit/verify.js';
import { pagesOf } from '../people/answered.js';
import { auditPageSchema } from '../people/answers.js';
import { connected, withConnection, type ConnectionOptions } from '../people/connection.js';
import type { Terminal } from '../terminal.js';

export interface AuditOptions extends ConnectionOptions {
  audit?: string;
}

export const withAudit = (command: Command): Command =>
  withConnection(command).option('--audit <export>', 'the lines of GET /audit, in a file; default: ask the broker');

interface Wanted {
  decision?: string | undefined;
  workload?: string | undefined;
  /** As in RFC 3339. */
  from?: string | undefined;
}

/** Yields the entries, oldest first. What an export has besides those that are wanted is yielded too. */
export async function* auditEntries(
  options: AuditOptions,
  terminal: Terminal,
  wanted: Wanted,
): AsyncGenerator<AuditEntry> {
  if (options.audit !== undefined) {
    yield* exported(options.audit);
    return;
  }
  const connection = await connected(options, terminal);
  const asked = { path: '/audit', query: { ...wanted, limit: '1000' }, page: auditPageSchema };
  for await (const { lines } of pagesOf(connection, asked)) yield* lines.map(parseEntry);
}

async function* exported(file: string): AsyncGenerator<AuditEntry> {
  let number = 0;
  const lines = cutLines(createReadStream(file));
  for await (const line of lines) {
    number += 1;
    yield entryIn(Buffer.from(line).toString('utf8'), () => new Error(`${file}:${number}: no line of an audit log`));
  }
}

function entryIn(text: string, wrong: () => Error): AuditEntry {
  try {
    const entry: unknown = JSON.parse(text);
    if (typeof entry === 'object' && entry !== null && 'seq' in entry && 'type' in entry) return parseEntry(text);
  } catch {
    // It is no JSON either.
  }
  throw wrong();
}
