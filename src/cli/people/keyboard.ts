/** What a person types or pastes, or a program pipes in. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Terminal } from '../terminal.js';

const PASTE = 'Paste it, then press Enter and Ctrl-D. It is not shown.';

/** Nothing of it comes back to the screen, where it would stay in the scrollback. */
const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

/**
 * Returns the text that is piped in or pasted, without white space around it. All of it is read, up to its end: the further lines
 * of a pasted secret would otherwise go to the shell, and into its history.
 */
export async function pasted({ input, err }: Pick<Terminal, 'input' | 'err'>): Promise<string> {
  if (!input) return '';
  if (!input.isTTY) return (await text(input)).trim();
  err(PASTE);
  const lines: string[] = [];
  const keyboard = createInterface({ input, output: nowhere(), terminal: true, historySize: 0 });
  for await (const line of keyboard) lines.push(line);
  return lines.join('\n').trim();
}

/** Returns whether a person at the keyboard says yes. Throws where nobody is there to be asked. */
export async function agreed(question: string, { input, err }: Pick<Terminal, 'input' | 'err'>): Promise<boolean> {
  if (!input?.isTTY) throw new Error('Nothing was done: nobody is there to be asked. Say --yes if it is meant.');
  err(`${question} Type yes:`);
  const keyboard = createInterface({ input, historySize: 0 });
  try {
    for await (const line of keyboard) return line.trim().toLowerCase() === 'yes';
    return false;
  } finally {
    keyboard.close();
  }
}
