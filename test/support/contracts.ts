/**
 * The contract of each endpoint, and the check that an answer is as its contract promises. Every call of every test over HTTP
 * is checked, so docs/api.md and /openapi.json cannot say less, or other things, than the broker does.
 */
import type { z } from 'zod';
import { auditLineSchema } from '../../src/audit/chain.js';
import type { HttpDeps } from '../../src/http/deps.js';
import { REFUSALS, refusalsOf, SCHEMA_OF } from '../../src/http/openapi/refusals.js';
import { operationsEndpoints, publicEndpoints } from '../../src/http/server.js';
import type { DescribedEndpoint } from '../../src/http/wire/contract.js';
import type { Reply, Sent } from './calls.js';

/** The tables are made without a broker: no endpoint is called. */
export const PUBLIC = publicEndpoints({
  targets: new Map(),
  settings: { trust: [] },
  issuer: 'https://mayfly.example',
} as unknown as HttpDeps);
export const OPERATIONS = operationsEndpoints({ liveness: {} } as unknown as Parameters<typeof operationsEndpoints>[0]);

export const ROUTES = [...PUBLIC, ...OPERATIONS].map(({ method, path }) => ({ method, path }));

/** The paths of the public listener that ask nobody for proof. */
export const FOR_EVERYBODY = PUBLIC.filter(({ handle }) => handle.contract.proof === 'none').map(({ path }) => path);

/** The paths that only browsers use, in the session of a person. Where no page is configured, they do not exist. */
export const FOR_BROWSERS = PUBLIC.filter(({ handle }) => handle.contract.proof === 'session').map(({ path }) => path);

const patterns = PUBLIC.map((endpoint) => ({
  endpoint,
  pattern: new RegExp(`^${endpoint.path.replaceAll(/\*\w+/g, '.+').replaceAll(/:\w+/g, '[^/]+')}$`),
}));

export function assertAsPromised({ path, method, body }: Sent, reply: Reply): void {
  const [plain = ''] = path.split('?', 1);
  const endpoint = patterns.find((one) => one.endpoint.method === method && one.pattern.test(plain))?.endpoint;
  const mediaType = reply.headers.get('content-type')?.split(';', 1)[0] ?? '';
  // A refusal of /authorize can be a page.
  const isAnswer = reply.status < 300 || mediaType === 'text/html';
  const problem = endpoint && (isAnswer ? answerProblem(endpoint, reply) : refusalProblem(endpoint, reply));
  const unsaid = endpoint && reply.status < 300 && unsaidParameter(endpoint, body);
  if (problem || unsaid)
    throw new Error(`${method} ${plain} ${reply.status}: ${problem || unsaid} (${reply.text.slice(0, 300)})`);
}

function answerProblem({ handle }: DescribedEndpoint, { status, headers, text, body }: Reply): string | undefined {
  if (handle.contract.page !== undefined && headers.get('content-type')?.startsWith('text/html')) return undefined;
  const shape = handle.contract.answers[status];
  if (!shape) return 'the contract has no such status';
  const mediaType = headers.get('content-type')?.split(';', 1)[0] ?? '';
  const promised = text === '' ? Object.values(shape)[0] : shape[mediaType];
  if (promised === undefined) return text === '' ? undefined : `the contract has no ${mediaType}`;
  if (typeof promised === 'string') return undefined;
  if (mediaType === 'application/x-ndjson') return firstMistake(text.trim().split('\n', 20));
  // A page of the audit log has its lines as text.
  return mistake(promised, body) ?? firstMistake((body as { lines?: string[] } | undefined)?.lines ?? []);
}

/** The first audit line that is not as docs/audit.md says. */
const firstMistake = (lines: readonly string[]): string | undefined =>
  lines.map((line) => mistake(auditLineSchema, JSON.parse(line))).find((found) => found !== undefined);

function refusalProblem({ refusals, handle }: DescribedEndpoint, { body }: Reply): string | undefined {
  const malformed = mistake(REFUSALS[SCHEMA_OF[refusals]], body);
  if (malformed !== undefined || refusals === 'set' || refusals === 'authzen') return malformed;
  const { code, error } = body as { code?: string; error?: string };
  const promised: string[] = refusalsOf(handle.contract);
  return promised.includes(code ?? error ?? '') ? undefined : 'the contract has no such refusal';
}

/** A parameter that a form was accepted with, and that its schema does not have, or has otherwise. */
function unsaidParameter({ handle }: DescribedEndpoint, body: unknown): string | undefined {
  const { form } = handle.contract;
  if (!form || !(body instanceof URLSearchParams)) return undefined;
  return mistake(form, Object.fromEntries([...body].filter(([, value]) => value !== '')));
}

function mistake(schema: z.ZodType, value: unknown): string | undefined {
  const result = schema.safeParse(value);
  return result.success
    ? undefined
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}
