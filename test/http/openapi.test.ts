/** GET /openapi.json: every route is in it, and what it says of requests is what parses them. */
import { describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { startBroker } from '../support/brokers/http.js';
import { PUBLIC } from '../support/contracts.js';

interface Operation {
  parameters: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: { properties?: object; additionalProperties?: boolean } }> };
  responses: Record<string, object>;
}
interface Document {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
}

const broker = await startBroker();
const reply = await broker.get('/openapi.json');
const document = reply.body as Document;
const operationOf = ({ method, path }: { method: string; path: string }): Operation | undefined =>
  document.paths[path.replaceAll(/[:*](\w+)/g, '{$1}')]?.[method.toLowerCase()];

/** The names of the fields of a schema, wherever a transformation has wrapped it. */
function namesIn(schema: unknown): string[] {
  const { shape, def } = schema as { shape?: object; def: { in?: unknown } };
  return shape ? Object.keys(shape) : namesIn(def.in);
}

describe('GET /openapi.json', () => {
  it('is a small document that caches may keep, for everybody, about this broker', () => {
    expect(reply.status).toBe(200);
    expect(reply.headers.get('cache-control')).toBe('public, max-age=300');
    expect(reply.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(document).toMatchObject({ openapi: '3.1.1', servers: [{ url: broker.url }] });
    expect(reply.text.length).toBeLessThan(192 * 1024);
    expect(reply.text).not.toMatch(/\]\([a-z-]+\.md/);
  });

  it('is OpenAPI 3.1, as the published schema of OpenAPI has it', async () => {
    expect(await new Validator().validate(reply.body as Parameters<Validator['validate']>[0])).toEqual({ valid: true });
  });

  it('has every route, and no other', () => {
    const routes = PUBLIC.map(({ method, path }) => `${method} ${path.replaceAll(/[:*](\w+)/g, '{$1}')}`);
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.toSorted()).toEqual(routes.toSorted());
  });

  it.each(PUBLIC.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint] as const))(
    'names every parameter and field that %s reads, and no other',
    (_, endpoint) => {
      const { query, body, form } = endpoint.handle.contract;
      const { parameters, requestBody, responses } = operationOf(endpoint)!;
      const [sent] = Object.values(requestBody?.content ?? {});
      const inQuery = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
      expect(inQuery).toEqual(query ? namesIn(query) : []);
      expect(Object.keys(sent?.schema.properties ?? {})).toEqual(body || form ? namesIn(body ?? form) : []);
      // AuthZEN 1.0 demands that what is not known is ignored.
      const isStrict = body !== undefined && endpoint.refusals !== 'authzen';
      expect(sent?.schema.additionalProperties).toBe(isStrict ? false : undefined);
      expect(parameters.filter((parameter) => parameter.in === 'path')).toHaveLength(
        endpoint.path.match(/[:*]/g)?.length ?? 0,
      );
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(Object.keys(endpoint.handle.contract.answers)));
    },
  );
});
