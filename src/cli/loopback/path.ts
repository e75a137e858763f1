/** Which API the proxy is for, and which of its paths. A path is passed on as it was sent, so no two may mean the same. */
import { InvalidArgumentError } from 'commander';
import { isSafeOrigin } from '../../domain/safe-origin.js';
import type { Refusal } from './refusal.js';

const MALFORMED: Refusal = {
  status: 400,
  code: 'invalid_path',
  message: 'The path has a segment "." or "..", a tab or a line break, also encoded, or an encoding that is none.',
};

/** @param allow Paths, each with all that is below it. */
export function refusalOfPath(asked: string, allow: readonly string[]): Refusal | undefined {
  const path = asked.split('?', 1)[0] || '/';
  if (climbs(path)) return MALFORMED;
  if (allow.some((one) => path === one || path.startsWith(one.endsWith('/') ? one : `${one}/`))) return undefined;
  return {
    status: 403,
    code: 'path_not_allowed',
    message: 'The proxy was not started for this path: see its --allow.',
  };
}

/** An API may decode a path more than once, but hardly more often. */
const READINGS = 3;

/**
 * Returns whether any reading of the path has a segment that leads up, or none: an API may decode it more than once, take a backslash
 * for a slash, drop what follows a semicolon, or pass over tabs and line breaks, as the parser of URLs in Node does.
 */
function climbs(path: string, readings = READINGS): boolean {
  if (/[\t\r\n]/.test(path)) return true;
  if (path.split(/[/\\]/).some((segment) => /^\.\.?(?:;|$)/.test(segment))) return true;
  const decoded = decodedOnce(path);
  if (decoded === path) return false;
  return decoded === undefined || readings === 0 || climbs(decoded, readings - 1);
}

function decodedOnce(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Returns the address of an API as an option has it, without a slash at its end. */
export function apiUrl(text: string): string {
  const { origin = '', pathname = '', href } = URL.canParse(text) ? new URL(text) : {};
  const url = `${origin}${pathname.replace(/\/+$/, '')}`;
  if (isSafeOrigin(origin) && href === `${origin}${pathname}`) return url;
  throw new InvalidArgumentError(
    'It is the https address of an API (http only on loopback), with nothing after its path.',
  );
}

/** Returns the paths so far and one more: a variadic option of commander. */
export function allowedPath(text: string, before: readonly string[] = []): string[] {
  if (text.startsWith('/') && refusalOfPath(text, [text]) === undefined && !/[?#]/.test(text)) return [...before, text];
  throw new InvalidArgumentError('It is a path such as /v1/messages.');
}
