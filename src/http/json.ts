/** JSON bodies and query strings, strictly: an unknown or repeated field is a refusal, for `dryrun` must not revoke. */
import type { z } from 'zod';
import { BrokerError } from '../domain/errors.js';
import { repeatsAName } from '../domain/repeated-names.js';
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
  if (repeatsAName(text, value)) throw refused('A field is written twice');
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
    // A secret in the wrong place is no name of a field: those of AWS have 40 letters, all of them plain.
    const names = issue.keys.filter((key) => /^\w{1,32}$/.test(key)).join(', ');
    return `There is no field of the name ${names || 'that was sent'}${at && ` in ${at}`}`;
  }
  const reason = issue?.message.replace(/^Invalid input: /, '') ?? 'is not as it should be';
  return at ? `${at}: ${reason}` : `The request is not as it should be: ${reason}`;
}

const refused = (text: string) => new BrokerError('invalid_request', `${text}.`);
