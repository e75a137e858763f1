/** Problems of policies as text, and Cedar's errors as problems with file and line. */
import type { PolicyProblem } from '../policy-engine.js';
import type { DetailedError } from './cedar-wasm.js';

export const problemText = ({ file, line, reason }: PolicyProblem): string => `${file}:${line}: ${reason}`;

/** Returns Cedar's errors in `text`, which begins in `file` at `firstLine`. */
export function problemsOf(
  errors: readonly DetailedError[],
  file: string,
  text: string,
  firstLine = 1,
): PolicyProblem[] {
  return errors.flatMap((error) => [
    {
      file,
      line: firstLine - 1 + lineAt(text, error.sourceLocations?.[0]?.start ?? 0),
      reason: reasonOf(error),
    },
    ...problemsOf(error.related ?? [], file, text, firstLine),
  ]);
}

/** Returns the line at an offset, which Cedar counts in bytes of UTF-8. */
export const lineAt = (text: string, byteOffset: number): number =>
  Buffer.from(text).subarray(0, byteOffset).toString('latin1').split('\n').length;

function reasonOf({ message, help, sourceLocations }: DetailedError): string {
  const expected = sourceLocations?.[0]?.label;
  return [message, expected ?? undefined, help ?? undefined].filter((part) => part !== undefined).join('; ');
}
