/** GET /openapi.json: the API as an OpenAPI 3.1 document, made from the route table and from the schemas that parse requests. */
import { z } from 'zod';
import type { HttpDeps } from '../deps.js';
import { SESSION_COOKIE } from '../page/cookies.js';
import { described, type AnswerShape, type Contract, type DescribedEndpoint, type Proof } from '../wire/contract.js';
import {
  answerSchema,
  noComponents,
  requestSchema,
  type Components,
  type Json,
  type JsonSchema,
} from './components.js';
import { REFUSALS, refusedResponses } from './refusals.js';

const CACHED = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'public, max-age=300' };

const contract: Contract = {
  summary: 'Describes the API for machines (OpenAPI 3.1): clients can be made from it.',
  proof: 'none',
  answers: { 200: { 'application/json': z.looseObject({ openapi: z.string() }) } },
};

/** The document is made when it is first asked for, and kept as text. */
export function openApi({ issuer }: Pick<HttpDeps, 'issuer'>, endpoints: () => readonly DescribedEndpoint[]) {
  let body: string | undefined;
  return described(contract, () => {
    body ??= withoutLinks(JSON.stringify(documentOf(endpoints(), issuer)));
    return Promise.resolve({ status: 200, headers: CACHED, body });
  });
}

/** Links between pages of docs/ lead nowhere from here. */
const withoutLinks = (text: string): string => text.replaceAll(/\[([^\]"]+)\]\([a-z-]+\.md[^)"]*\)/g, '$1');

function documentOf(endpoints: readonly DescribedEndpoint[], issuer: string) {
  const components = noComponents();
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    const path = openPath(endpoint.path);
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(endpoint, components) };
  }
  for (const [name, schema] of Object.entries(REFUSALS)) {
    components.schemas[name] = answerSchema(schema, components);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Mayfly',
      version: '1',
      description: ABOUT,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: issuer }],
    paths,
    components: { ...components, securitySchemes: SECURITY },
  };
}

const ABOUT =
  'A broker of credentials that die with their task. Answers may get further fields: ignore those that you do not know. ' +
  'Every answer has `X-Request-ID`; send your own to find a request in the logs.';

const SECURITY = {
  identity: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An identity token of an issuer that the broker trusts. Credentials of the broker are no identity.',
  },
  credential: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A credential of the broker, as it was presented to the gateway.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: SESSION_COOKIE,
    description: 'The session of a person who has signed in on the page for approvers.',
  },
  container: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'The same token without a scheme, as SDKs send it that ask for container credentials.',
  },
};

/** One of these is needed; `{}` where the proof is in the body. */
const SECURITY_OF: Record<Proof, Json[]> = {
  none: [],
  bearer: [{ identity: [] }],
  client: [{ identity: [] }, {}],
  grant: [{}, { identity: [] }],
  container: [{ container: [] }],
  credential: [{ credential: [] }],
  signature: [],
  session: [{ session: [] }],
};

/** `/tasks/:id` and `/workloads/*id/risk` as OpenAPI writes them. */
const openPath = (path: string): string => path.replaceAll(/[:*](\w+)/g, '{$1}');

function operationOf({ method, path, refusals, bodyBytes, handle }: DescribedEndpoint, components: Components): Json {
  const { contract } = handle;
  const { summary, proof, needs } = contract;
  const [first = summary] = summary.split(/(?<=\.) (?=[A-Z])/, 1);
  const answers = Object.entries(withPage(contract)).map(([status, shape]) => [status, answerOf(shape, components)]);
  return {
    operationId: [method.toLowerCase(), ...path.split(/\W+/).filter(Boolean)].map(capitalised).join(''),
    summary: first,
    description: `${summary}${needs === undefined ? '' : ` Needs ${needs}.`}`,
    security: SECURITY_OF[proof],
    parameters: parametersOf(contract, path, components),
    ...(bodyBytes > 0 && { requestBody: requestBodyOf(contract, components) }),
    responses: { ...Object.fromEntries(answers), ...refusedResponses(contract, refusals, components) },
  };
}

const capitalised = (word: string, index: number): string =>
  index === 0 ? word : `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

function parametersOf(
  { path: meanings = {}, query, takesIdempotencyKey }: Contract,
  path: string,
  components: Components,
) {
  const names = [...path.matchAll(/[:*](\w+)/g)].map(([, name = '']) => name);
  const { properties = {}, required = [] } = query ? requestSchema(query, components) : {};
  return [
    ...names.map((name) => ({
      name,
      in: 'path',
      required: true,
      description: meanings[name],
      schema: { type: 'string' },
    })),
    ...Object.entries(properties).map(([name, schema]) => ({
      name,
      in: 'query',
      required: required.includes(name),
      ...aside(schema),
    })),
    ...(takesIdempotencyKey ? [IDEMPOTENCY_KEY] : []),
  ];
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
  description: 'The same key with the same request finds the same task.',
};

/** The description of a parameter stands beside its schema. */
const aside = ({ description, ...schema }: JsonSchema) => ({ description, schema });

function requestBodyOf({ body, form, raw }: Contract, components: Components): Json {
  if (raw) return { required: true, content: { [raw[0]]: { schema: { type: 'string', description: raw[1] } } } };
  const [mediaType, schema] = form ? ['application/x-www-form-urlencoded', form] : ['application/json', body];
  if (!schema) throw new Error('an endpoint that takes a body does not say what is in it');
  const made = requestSchema(schema, components);
  return {
    required: form !== undefined || (made.required ?? []).length > 0,
    content: { [mediaType]: { schema: made } },
  };
}

/** A page is an answer like the others, in another media type. */
const withPage = ({ answers, page }: Contract): Contract['answers'] =>
  page === undefined ? answers : { ...answers, 200: { ...answers[200], 'text/html': page } };

function answerOf(shape: AnswerShape, components: Components): Json {
  const content = Object.entries(shape).map(([mediaType, of]) => [
    mediaType,
    { schema: typeof of === 'string' ? { type: 'string', description: of } : answerSchema(of, components) },
  ]);
  if (content.length === 0) return { description: 'Empty.' };
  return { description: 'Done.', content: Object.fromEntries(content) as Json };
}
