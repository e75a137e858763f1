/**
 * Marks of the revocation log in a directory outside the store. Each is an empty file, and its name is the mark: so a mark is
 * there as a whole or not at all, and several processes may write into one directory. Only the latest counts.
 */
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '../domain/defined.js';
import { StoreUnavailable } from '../store/store.js';
import { isLater, type Mark } from './known-log.js';
import type { LogMemory } from './revocation-log.js';

export interface SeenDirectory extends LogMemory {
  /** Returns why the latest mark could not be kept; undefined while it could. */
  trouble(): string | undefined;
}

/** Makes the directory where it is missing. Rejects when it cannot be read or written. */
export async function openSeenDirectory(directory: string): Promise<SeenDirectory> {
  const mark = await firstMark(directory).catch((error: unknown) => {
    throw unwritable(directory, error);
  });

  let wanted = mark;
  let kept = mark;
  let writing: Promise<void> | undefined;
  let trouble: string | undefined;

  async function write(next: Mark): Promise<void> {
    try {
      await writeMark(directory, next);
      kept = next;
      trouble = undefined;
    } catch (error) {
      const failure = unwritable(directory, error);
      trouble = failure.message;
      throw failure;
    } finally {
      writing = undefined;
    }
  }

  return {
    mark,
    async keep(given) {
      if (!wanted || isLater(given, wanted)) wanted = given;
      // Marks that come while one is written are written as one.
      while (!kept || isLater(given, kept)) await (writing ??= write(wanted));
    },
    trouble: () => trouble,
  };
}

const unwritable = (directory: string, error: unknown): StoreUnavailable =>
  new StoreUnavailable(`${directory} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);

/** Returns the latest mark that is there, once it is clear that others can be written beside it. */
async function firstMark(directory: string): Promise<Mark | undefined> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const trial = join(directory, `try-${process.pid}`);
  await (await open(trial, 'w', 0o600)).close();
  await rm(trial, { force: true });
  return latestOf(marksIn(await readdir(directory)));
}

/** The home of a log on Redis is hexadecimal. */
const nameOf = ({ generation, home = '', latest }: Mark): string =>
  `${generation}.${latest?.seq ?? 0}.${home}.${encodeURIComponent(latest?.id ?? '')}`;

/** Names that are no mark are of somebody else, and are left alone. */
function marksIn(names: readonly string[]): Mark[] {
  return names.flatMap((name) => {
    const [, generation, seq, home, text] = /^([\w-]+)\.(\d+)\.([\da-f]*)\.(.*)$/.exec(name) ?? [];
    const id = text === undefined ? undefined : unescaped(text);
    if (generation === undefined || id === undefined) return [];
    const latest = id === '' ? undefined : { seq: Number(seq), id };
    return [defined({ generation, home: home || undefined, latest })];
  });
}

/** Returns the text that was escaped, or undefined if this is none: a percent sign by itself. */
function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const latestOf = (marks: readonly Mark[]): Mark | undefined =>
  marks.reduce<Mark | undefined>((latest, one) => (!latest || isLater(one, latest) ? one : latest), undefined);

/** Makes the file of a mark durable, and only then removes those of earlier ones. */
async function writeMark(directory: string, mark: Mark): Promise<void> {
  await (await open(join(directory, nameOf(mark)), 'a', 0o600)).close();
  const listed = await open(directory);
  try {
    await listed.sync();
  } finally {
    await listed.close();
  }
  const earlier = marksIn(await readdir(directory)).filter((one) => isLater(mark, one));
  await Promise.all(earlier.map((one) => rm(join(directory, nameOf(one)), { force: true })));
}
