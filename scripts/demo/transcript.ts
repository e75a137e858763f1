/** The output of the demo: acts, and steps with their milliseconds. A whole token is never printed. */
import { Unexpected } from './unexpected.js';

export interface Transcript {
  act(title: string): void;
  /** Runs a step, then prints it with its duration and, below, what `run` returned. An error ends the story. */
  step(text: string, run: () => Promise<string | string[] | undefined>): Promise<void>;
  line(text: string): void;
  readonly steps: number;
}

interface Screen {
  write: (text: string) => void;
  colours: boolean;
}

const TIME_COLUMN = 84;
/** Of ours, and what AWS gives: nothing else here has forty such characters in a row. */
const SECRET = /eyJ[\w-]{10,}\.[\w-]+\.[\w-]+|[A-Za-z0-9+/]{40,}/g;

export function createTranscript({ write, colours }: Screen): Transcript {
  const paint = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const [bold, dim, red, green] = [paint(1), paint(2), paint(31), paint(32)];
  const line = (text = '') => write(`${text.replaceAll(SECRET, shortened)}\n`);
  let acts = 0;
  let steps = 0;

  return {
    get steps() {
      return steps;
    },
    line,
    act(title) {
      acts += 1;
      line(`\n${bold(`${acts}  ${title}`)}`);
    },
    async step(text, run) {
      const since = performance.now();
      try {
        const more = [(await run()) ?? []].flat();
        const time = `${Math.round(performance.now() - since).toLocaleString('en')} ms`;
        const gap = Math.max(1, TIME_COLUMN - text.length - time.length - 5);
        line(`   ${green('✓')} ${text}${' '.repeat(gap)}${dim(time)}`);
        for (const one of more) line(`       ${dim(one)}`);
        steps += 1;
      } catch (error) {
        line(`   ${red('✗')} ${text}`);
        for (const one of wrong(error)) line(`       ${red(one)}`);
        throw error;
      }
    },
  };
}

/** Returns the beginning of a token: enough to recognise it, not enough to use it. */
const shortened = (token: string): string => `${token.slice(0, 8)}…`;

function wrong(error: unknown): string[] {
  if (error instanceof Unexpected) return [`expected  ${error.expected}`, `came      ${error.came}`];
  return [error instanceof Error ? error.message : 'failed'];
}
