/**
 * The input of a request, read strictly: the body as bytes, JSON or an OAuth form, and the query string. An unknown or
 * repeated JSON field is a refusal: a misspelt `dryrun` must not revoke.
 */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { BrokerError, type BrokerErrorCode } from '../../domain/errors.js';
import { HARD_LIMITS } from '../../domain/limits.js';
import { nearNames } from '../../domain/near-names.js';
import { parseStrictJson, type JsonProblem } from '../../domain/strict-json.js';
import type { Call } from './endpoint.js';

/**
 * Reads a whole body. It is bounded and never decompressed: a few bytes must not become gigabytes. What is beyond the bound
 * is not kept.
 */
export async function readBody(request: IncomingMessage, bytesMost: number): Promise<Buffer> {
  const { headers } = request;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return Buffer.alloc(0);
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw new BrokerError('unsupported_media_type', 'The body must be sent without a content encoding.');
  }
  if (Number(headers['content-length']) > bytesMost) throw tooLarge(bytesMost);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMost) reject(tooLarge(bytesMost));
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    // Node closes every request, also one that was read whole.
    request.on('close', () => {
      if (!request.readableEnded) reject(new BrokerError('invalid_request', 'The body could not be read.'));
    });
  });
}

const tooLarge = (bytesMost: number) =>
  new BrokerError(
    'payload_too_large',
    bytesMost === 0 ? 'Send no body here.' : `A body has at most ${bytesMost} bytes here.`,
  );

/** Parses a JSON body. No body counts as an empty object, because some verbs have everything in their path. */
export function readJson<S extends z.ZodType>(
  { headers, body }: Pick<Call, 'headers' | 'body'>,
  schema: S,
  valuesMost: number = HARD_LIMITS.jsonValues,
): z.output<S> {
  if (body.length === 0) return parsed(schema, {});
  demandContentType(headers['content-type'], 'application/json');
  const json = parseStrictJson(textOf(body), valuesMost);
  if (json === 'too many') throw malformed(`The body has more than ${valuesMost} values`);
  if (typeof json === 'string') throw malformed(WRONG_JSON[json]);
  return parsed(schema, json.value);
}

const WRONG_JSON: Record<Exclude<JsonProblem, 'too many'>, string> = {
  malformed: 'The body is not JSON',
  repeated: 'A field is written twice',
  'too deep': `The body is nested more than ${HARD_LIMITS.jsonDepth} deep`,
};

export function readQuery<S extends z.ZodType>({ query }: Pick<Call, 'query'>, schema: S): z.output<S> {
  const parameters = parametersOf(query);
  const names = [...parameters.keys()];
  if (new Set(names).size !== names.length) throw malformed('A parameter is written twice');
  return parsed(schema, Object.fromEntries(parameters));
}

/** Parameters are counted before they are parsed. */
function parametersOf(text: string): URLSearchParams {
  const most = HARD_LIMITS.parameters;
  if (text.split('&', most + 1).length > most) throw malformed(`There are more than ${most} parameters`);
  return new URLSearchParams(text);
}

/**
 * The parameters of a form. Code can ask for those alone that the schema of the form names, so whatever is read is documented.
 * It remembers which were asked for: what was sent and nobody read is found without another list.
 */
export interface Form<Name extends string = string> {
  get(name: Name): string | undefined;
  has(name: Name): boolean;
  /** The names that were sent, and not asked for until now. */
  unread(): string[];
  /** The names that were asked for until now, and not sent. */
  missed(): string[];
}

function formOf(sent: ReadonlyMap<string, string>): Form {
  const asked = new Set<string>();
  return {
    get(name) {
      asked.add(name);
      return sent.get(name);
    },
    has(name) {
      asked.add(name);
      return sent.has(name);
    },
    unread: () => [...sent.keys()].filter((name) => !asked.has(name)),
    missed: () => [...asked].filter((name) => !sent.has(name)),
  };
}

/** Whether a name that a caller made up may be repeated: it may be a secret in the wrong place. */
export const isParameterName = (text: string): boolean => /^[a-z_]{1,32}$/i.test(text);

/**
 * Parses the parameters of an OAuth endpoint as RFC 6749 §3.2 says: empty is absent, unknown is ignored, repeated is refused.
 * @param mayRepeat Parameters that a standard lets clients repeat, with the code that says that the broker takes only one.
 */
export function readForm<Name extends string>(
  call: Pick<Call, 'headers' | 'body'>,
  _: z.ZodObject<Record<Name, z.ZodType>>,
  mayRepeat: Record<string, BrokerErrorCode> = {},
): Form<Name> {
  demandContentType(call.headers['content-type'], 'application/x-www-form-urlencoded');
  const form = new Map<string, string>();
  for (const [name, value] of parametersOf(textOf(call.body))) {
    if (value === '') continue;
    if (form.has(name)) throw repeated(name, new Map(Object.entries(mayRepeat)).get(name));
    form.set(name, value);
  }
  return formOf(form);
}

export function demanded<Name extends string>(form: Form<Name>, name: NoInfer<Name>): string {
  const value = form.get(name);
  if (value !== undefined) return value;
  const [near] = nearNames(name, form.unread().filter(isParameterName));
  const advice = near === undefined ? '' : `, and ${near} is no parameter`;
  throw new BrokerError('invalid_request', `The parameter ${name} is missing${advice}.`);
}

/**
 * Returns a token of the form. A file with a token often ends in a newline, and `curl --data-urlencode subject_token@file` sends
 * it along. No token ends in white space, so nothing is lost with it.
 */
export const demandedToken = <Name extends string>(form: Form<Name>, name: NoInfer<Name>): string =>
  demanded(form, name).trimEnd();

/** Decodes UTF-8, and refuses anything else: replaced characters would change what the sender meant. */
export function textOf(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch (cause) {
    throw new BrokerError('invalid_request', 'The body is not UTF-8.', { cause });
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Compares the media type without its parameters. */
export function demandContentType(sent: string | undefined, wanted: string): void {
  if (sent?.split(';', 1)[0]?.trim().toLowerCase() === wanted) return;
  throw new BrokerError('unsupported_media_type', `The body must be sent as ${wanted}.`);
}

/** Returns the value as the schema has it, and refuses anything else. */
export function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw malformed(sentence(result.error, fieldsOf(schema)));
}

/** Returns the names of the fields of an object, also of one that is transformed after it is read. */
function fieldsOf(schema: z.ZodType): string[] {
  const read = schema instanceof z.ZodPipe ? schema.in : schema;
  return read instanceof z.ZodObject ? Object.keys(read.shape) : [];
}

/** @param fields The names of the outermost fields. */
function sentence({ issues: [issue] }: z.ZodError, fields: readonly string[]): string {
  const at = issue?.path.map(String).join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') {
    // A secret in the wrong place must not be repeated as the name of a field. AWS secrets have 40 letters, all of them \w.
    const names = issue.keys
      .slice(0, NAMES_SHOWN)
      .filter((key) => /^\w{1,32}$/.test(key))
      .join(', ');
    const meant =
      at === '' ? [...new Set(issue.keys.slice(0, NAMES_SHOWN).flatMap((key) => meantBy(key, fields)))] : [];
    const advice = meant.length > 0 ? `; there is ${meant.join(', ')}` : '';
    return `There is no field of the name ${names || 'that was sent'}${at && ` in ${at}`}${advice}`;
  }
  const reason = issue?.message.replace(/^Invalid input: /, '') ?? 'is malformed';
  if (issue?.code === 'custom' && at === '') return reason;
  return at ? `${at}: ${reason}` : `The request is malformed: ${reason}`;
}

const NAMES_SHOWN = 4;

/** Returns the fields that are spelled nearly so, or that begin so and go on with a unit: `deadline` for `deadlineSeconds`. */
const meantBy = (key: string, fields: readonly string[]): string[] =>
  fields.filter((field) => nearNames(key, [field]).length > 0 || (key.length > 2 && field.startsWith(key)));

/** Names the parameter only if the name has the form of a parameter: the caller may have sent a secret as a name. */
function repeated(name: string, code: BrokerErrorCode | undefined): BrokerError {
  if (code !== undefined) return new BrokerError(code, `Exactly one ${name} can be named.`);
  const which = isParameterName(name) ? ` (${name})` : '';
  return new BrokerError('invalid_request', `A parameter was sent twice${which}.`);
}

const malformed = (text: string) => new BrokerError('invalid_request', `${text}.`);
