/**
 * /forward-auth/{name}: whether a gateway may let a request through, as the status of the answer. The credential in the request proves
 * itself, so the gateway needs no identity of its own. nginx, Traefik and Caddy say in headers which request it is; Envoy and
 * agentgateway ask by its own method, with its path behind theirs.
 */
import { evaluate } from '../credentials/evaluate.js';
import { BrokerError } from '../domain/errors.js';
import { accessOfRequest } from '../targets/forward-routes.js';
import type { AccessTokenClaims } from '../protocol/access-token.js';
import type { HttpDeps } from './deps.js';
import { bearerToken } from './wire/authenticate.js';
import { described, type Contract } from './wire/contract.js';
import type { Answer, Call } from './wire/endpoint.js';
import { traceOf } from './wire/noted.js';

const NAME = 'The `forwardAuth.name` of the target.';
const WHOSE = 'A 200 says in `X-Mayfly-Subject`, `-Workload`, `-Task` and `-Credential` whose request it is.';

const contract: Contract = {
  summary:
    'Tells a gateway by the status whether a request may pass: 200, 401 without a live credential, 403 where it does not cover the ' +
    'request. Method and path are those in `X-Original-Method` and `X-Original-URI`, or in `X-Forwarded-Method` and ' +
    `\`X-Forwarded-Uri\`; the method of the question itself does not matter. ${WHOSE}`,
  proof: 'credential',
  needs: 'nothing but the credential; the target must have `forwardAuth`',
  path: { name: NAME },
  answers: { 200: {} },
  refusals: ['not_found'],
};

const byPath: Contract = {
  ...contract,
  summary:
    'The same, for gateways that ask by the method of the request that they hold, and append its path: `ext_authz` of Envoy. A ' +
    `question that has one of those headers too is 403. ${WHOSE}`,
  path: { name: NAME, path: 'The path of the request, as the client wrote it.' },
};

export const forwardAuth = (deps: HttpDeps) => described(contract, asking(deps, inHeaders));
export const forwardAuthByPath = (deps: HttpDeps) => described(byPath, asking(deps, inPath));

/** Returns which request a question is about. */
type OriginalOf = (call: Pick<Call, 'method' | 'path' | 'query' | 'headers'>) => [method: string, uri: string];

function asking(deps: HttpDeps, originalOf: OriginalOf) {
  const named = new Map(
    [...deps.targets.values()].flatMap((target) =>
      'forwardAuth' in target ? [[target.forwardAuth.name, { ...target.forwardAuth, resource: target.resource }]] : [],
    ),
  );
  return async (call: Call): Promise<Answer> => {
    const target = named.get(call.params['name'] ?? '');
    if (!target) throw new BrokerError('not_found', 'No target has forwardAuth with that name.');
    const token = bearerToken(call);
    if (token === undefined) throw new BrokerError('invalid_token', 'The request has no credential.');
    const [method, uri] = originalOf(call);
    const access = accessOfRequest(target.routes, method, uri);
    if (!access) throw new BrokerError('access_denied', 'No route of the target is for this method and path.');
    const question = { subject: { token }, target: target.resource, ...access, trace: traceOf(call) };
    const evaluated = await evaluate(deps, undefined, question);
    if (evaluated.permitted && evaluated.claims) return passed(evaluated.claims);
    if (!evaluated.permitted && evaluated.why === 'not-live')
      throw new BrokerError('invalid_token', 'The credential is not live, or not for this target.');
    throw new BrokerError('access_denied', 'The credential does not permit this request now.');
  };
}

const passed = ({ sub, client_id: workload, task, jti }: AccessTokenClaims): Answer => ({
  status: 200,
  headers: {
    'X-Mayfly-Subject': sub,
    'X-Mayfly-Workload': workload,
    'X-Mayfly-Task': task.id,
    'X-Mayfly-Credential': jti,
  },
});

/** What gateways call method and URI of the request that they hold. Nobody knows which of two the gateway wrote, and which a client. */
const NAMES = [
  ['x-original-method', 'x-original-uri'],
  ['x-forwarded-method', 'x-forwarded-uri'],
] as const;

const sentIn = (headers: Call['headers']) => NAMES.filter((names) => names.some((name) => headers[name] !== undefined));

const inHeaders: OriginalOf = ({ headers }) => {
  const sent = sentIn(headers);
  const [method, uri] = sent[0]?.map((name) => headers[name]) ?? [];
  if (sent.length === 1 && typeof method === 'string' && typeof uri === 'string') return [method, uri];
  throw new BrokerError('access_denied', 'The gateway must send the method and URI of the request, once each.');
};

const PREFIX = '/forward-auth/';

/** What follows the name is not decoded: what a gateway hands on is not decoded either. */
const inPath: OriginalOf = ({ method, path, query, headers }) => {
  if (sentIn(headers).length > 0)
    throw new BrokerError('access_denied', 'The request stands in the path, and must not stand in headers too.');
  const uri = path.slice(path.indexOf('/', PREFIX.length));
  return [method, query === '' ? uri : `${uri}?${query}`];
};
