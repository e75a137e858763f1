/** Problems of a configuration. All of them are reported at once, each with its place. */

export type ConfigPath = readonly PropertyKey[];

/** A problem before its line is known. `reason` never repeats a value, which may be a secret. */
export interface Finding {
  path: ConfigPath;
  reason: string;
}

export interface ConfigProblem {
  /** The file, or `environment`. */
  source: string;
  /** Counted from 1; absent where there is no file. */
  line?: number;
  /** `trust[0].jwks.url`; empty for the file as a whole. */
  path: string;
  reason: string;
}

export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(problemText).join('\n'));
    this.problems = problems;
  }
}

/** Returns a problem as `file:line: path: reason`. */
export function problemText({ source, line, path, reason }: ConfigProblem): string {
  const place = line === undefined ? source : `${source}:${line}`;
  return path === '' ? `${place}: ${reason}` : `${place}: ${path}: ${reason}`;
}

/** Returns a finding in a document that was read already: its place is a path, and no line. */
export const findingText = ({ path, reason }: Finding): string => `${pathText(path)} ${reason}`;

export function pathText(path: ConfigPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? String(step) : `.${String(step)}`;
  }
  return text;
}
