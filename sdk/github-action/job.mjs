/** What a step of GitHub Actions is given, and what it can say to the runner. */
import { appendFileSync } from 'node:fs';
import { EOL } from 'node:os';

/** Returns an input of action.yml; undefined where the workflow leaves it out. */
export const input = (name) => process.env[`INPUT_${name.toUpperCase()}`]?.trim() || undefined;

/** An audience of its own, or the issuer of the broker. */
export const audience = () => input('audience') ?? input('broker');

/** Prints a command of the runner. A line break in the text would be the next command. */
export function say(command, text) {
  const escaped = text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  console.log(`::${command}::${escaped}`);
}

/** @param file `GITHUB_OUTPUT`, `GITHUB_ENV` or `GITHUB_STATE` @param pairs names and texts of one line */
export function hand(file, pairs) {
  for (const [name, text] of Object.entries(pairs)) {
    if (/[\r\n]/.test(text)) throw new Error(`${name} has a line break.`);
    appendFileSync(process.env[file], `${name}=${text}${EOL}`);
  }
}
