/** The parts of docs/ that are made from the code: the endpoints in api.md, and the audit line in audit.md. */
import { readFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { auditLineSchema } from '../../src/audit/chain.js';
import type { HttpDeps } from '../../src/http/deps.js';
import { answerSchema, noComponents, type Components } from '../../src/http/openapi/components.js';
import { operationsEndpoints, publicEndpoints } from '../../src/http/server.js';
import type { DescribedEndpoint } from '../../src/http/wire/contract.js';
import { endpointSection } from './api.js';
import { fieldsOf } from './schema.js';

/** The tables are made without a broker: no endpoint is called. */
const PUBLIC = publicEndpoints({ targets: new Map(), settings: { trust: [] }, issuer: '' } as unknown as HttpDeps);
const OPERATIONS = operationsEndpoints({ liveness: {} } as unknown as Parameters<typeof operationsEndpoints>[0]);

/** The sections of the public listener, by the first part of the path. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  Credentials: ['token', 'authorize', 'revoke', 'introspect', 'access', 'forward-auth', 'usage', 'credentials', 'aws'],
  Tasks: ['tasks', 'runs'],
  Approvals: ['approvals'],
  Revocations: ['revocations', 'holds'],
  Signals: ['signals'],
  Inventory: ['workloads', 'owners'],
  'What happened': ['audit', 'timeline', 'notifications'],
  Discovery: ['.well-known', 'jwks', 'openapi.json', 'errors'],
};

const MAKERS: Readonly<Record<string, () => string>> = { 'docs/api.md': endpoints, 'docs/audit.md': auditLine };

export const PAGES = Object.keys(MAKERS);

const BEGIN = '<!-- From here on `npm run pages` writes this page, from the code. -->';
const END = '<!-- Until here. -->';

/** Returns the page as it should be: with its part that is made from the code made again. */
export async function pageText(path: string): Promise<string> {
  const page = readFileSync(path, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  const make = MAKERS[path];
  if (before === undefined || after === undefined || !make) throw new Error(`${path} has no part that is made`);
  const text = `${before}${BEGIN}\n\n${make()}\n\n${END}${after}`;
  return format(text, { ...(await resolveConfig(path)), filepath: path });
}

function endpoints(): string {
  const components = noComponents();
  const sections = Object.entries(SECTIONS).map(([title, parts]) => {
    const listed = PUBLIC.filter(({ path }) => parts.includes(path.split('/')[1] ?? ''));
    return section(title, listed, components);
  });
  const operations = section('Operations listener', OPERATIONS, components);
  return [...sections, operations, shapes(components)].join('\n');
}

const section = (title: string, listed: readonly DescribedEndpoint[], components: Components): string =>
  [`## ${title}`, '', ...listed.map((endpoint) => endpointSection(endpoint, components))].join('\n');

function shapes({ schemas }: Components): string {
  const named = Object.entries(schemas).filter(([name]) => name !== 'AuditLine');
  const sections = named.map(([name, schema]) => {
    const { anyOf = [] } = schema as { anyOf?: (typeof schema)[] };
    const fields =
      anyOf.length > 0 ? anyOf.map((one) => ['One of:', '', ...fieldsOf(one), ''].join('\n')) : fieldsOf(schema);
    return [`### ${name}`, '', schema.description ?? '', '', ...fields, ''].join('\n');
  });
  return ['## Shapes', '', 'What several answers have in common.', '', ...sections].join('\n');
}

function auditLine(): string {
  const components = noComponents();
  answerSchema(auditLineSchema, components);
  return fieldsOf(components.schemas['AuditLine'] ?? {}).join('\n');
}
