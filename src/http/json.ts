/** JSON bodies and query strings, strictly: an unknown or repeated field is a refusal, for `dryrun` must not revoke. */
import type { z } from 'zod';
import { BrokerError } from '../domain/errors.js';
import { demandContentType, textOf } from './body.js';
import type { Call } from './endpoint.js';

/** No body at all counts as an empty object: some verbs say everything in their path. */
export function readJson<S extends z.ZodType>(
  { headers, body }: Pick<Call, 'headers' | 'body'>,
  schema: S,
): z.output<S> {
  if (body.length === 0) return parsed(schema, {});
  demandContentType(headers['content-type'], 'application/json');
  const text = textOf(body);
  const value = parseJson(text);
  if (countFields(value) !== countNames(text)) throw refused('A field is written twice');
  return parsed(schema, value);
}

export function readQuery<S extends z.ZodType>({ query }: Pick<Call, 'query'>, schema: S): z.output<S> {
  const names = [...query.keys()];
  if (new Set(names).size !== names.length) throw refused('A parameter is written twice');
  return parsed(schema, Object.fromEntries(query));
}

function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw refused(sentence(result.error));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without its cause: the parser quotes what it could not read.
    throw refused('The body is not JSON');
  }
}

function sentence({ issues: [issue] }: z.ZodError): string {
  const at = issue?.path.map(String).join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') {
    const names = issue.keys.filter((key) => /^\w{1,64}$/.test(key)).join(', ');
    return `There is no field of the name ${names || 'that was sent'}${at && ` in ${at}`}`;
  }
  const reason = issue?.message.replace(/^Invalid input: /, '') ?? 'is not as it should be';
  return at ? `${at}: ${reason}` : `The request is not as it should be: ${reason}`;
}

/** Without recursion: 64 KiB of brackets nest deeper than the stack. */
function countFields(value: unknown): number {
  let fields = 0;
  const left = [value];
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    if (typeof one !== 'object' || one === null) continue;
    const within: unknown[] = Object.values(one);
    if (!Array.isArray(one)) fields += within.length;
    left.push(...within);
  }
  return fields;
}

/** In a text that is JSON: a string before a colon is a name. `JSON.parse` itself silently keeps the last of two. */
function countNames(text: string): number {
  let names = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon !== undefined) names += 1;
  return names;
}

const refused = (text: string) => new BrokerError('invalid_request', `${text}.`, { retry: 'never' });
