/** The endpoints as Markdown: a heading each, with request, answer and refusals. */
import { answerSchema, requestSchema, type Components, type JsonSchema } from '../../src/http/openapi/components.js';
import type { AnswerShape, Contract, DescribedEndpoint, Proof } from '../../src/http/wire/contract.js';
import { fieldsOf, sentence } from './schema.js';

const WHO: Record<Proof, string> = {
  none: 'everybody',
  bearer: 'identity',
  client: 'identity, also as `client_assertion`',
  grant: 'the tokens of the grant',
  container: 'identity, in `Authorization` without a scheme',
  credential: 'a credential of the broker: `Authorization: Bearer`',
  signature: 'the signature of a transmitter',
  session: 'a person who has signed in on the page',
};

export function endpointSection(
  { method, path, bodyBytes, handle }: DescribedEndpoint,
  components: Components,
): string {
  const { contract } = handle;
  return [
    `### ${method} ${path}`,
    '',
    contract.summary,
    '',
    `- Who: ${WHO[contract.proof]}${contract.needs === undefined ? '' : `; ${contract.needs}`}.`,
    ...requestOf(contract, bodyBytes, components),
    ...Object.entries(contract.answers).flatMap(([status, shape]) => answerOf(status, shape, components)),
    ...(contract.page === undefined ? [] : [`- For a browser, \`text/html\`: ${contract.page}`]),
    ...refusalsOf(contract),
    '',
  ].join('\n');
}

function requestOf(
  { path = {}, query, body, form, raw, takesIdempotencyKey }: Contract,
  bodyBytes: number,
  components: Components,
) {
  const listed = (title: string, fields: string[]) => (fields.length > 0 ? [`- ${title}:`, ...fields] : []);
  const size = `at most ${bodyBytes / 1024} KiB`;
  return [
    ...listed(
      'Path',
      Object.entries(path).map(([name, meaning]) => `  - \`${name}\`: ${meaning}`),
    ),
    ...listed('Query', query ? fieldsOf(requestSchema(query, components), '  ') : []),
    ...(raw ? [`- Body, \`${raw[0]}\`, ${size}: ${raw[1]}`] : []),
    ...(form ? bodyOf('form', size, formFields(requestSchema(form, components))) : []),
    ...(body ? bodyOf('JSON', size, fieldsOf(requestSchema(body, components), '  ')) : []),
    ...(takesIdempotencyKey
      ? ['- Header `Idempotency-Key`?: the same key with the same request finds the same task.']
      : []),
  ];
}

/** The parameters by which a client proves itself are the same at each endpoint. */
const CLIENT =
  '  - `client_assertion`?, `client_assertion_type`?, `client_id`?: the caller, instead of in `Authorization` (RFC 7523).';

function formFields(schema: JsonSchema): string[] {
  const own = Object.entries(schema.properties ?? {}).filter(([name]) => !name.startsWith('client_'));
  return [...fieldsOf({ ...schema, properties: Object.fromEntries(own) }, '  '), CLIENT];
}

const bodyOf = (kind: string, size: string, fields: string[]): string[] =>
  fields.length > 0 ? [`- Body, ${kind}, ${size}:`, ...fields] : [`- Body: \`{}\` as JSON, or none; ${size}.`];

function answerOf(status: string, shape: AnswerShape, components: Components): string[] {
  const entries = Object.entries(shape);
  if (entries.length === 0) return [`- Answer ${status}: empty.`];
  return entries.flatMap(([mediaType, of]) => {
    const title = `- Answer ${status}, \`${mediaType}\`:`;
    if (typeof of === 'string') return [`${title} ${of}`];
    const schema = answerSchema(of, components);
    return schema.properties
      ? [title, ...fieldsOf(schema, '  ')]
      : [`${title} ${sentence(schema)}`, ...alternatives(schema)];
  });
}

function alternatives(schema: JsonSchema): string[] {
  const { anyOf = [] } = schema as { anyOf?: JsonSchema[] };
  return anyOf.flatMap((one) => [`  - ${sentence(one)}`, ...fieldsOf(one, '    ')]);
}

const refusalsOf = ({ refusals = [] }: Contract): string[] =>
  refusals.length === 0
    ? []
    : [`- Refusals, beside the common ones: ${refusals.map((code) => `\`${code}\``).join(', ')}.`];
