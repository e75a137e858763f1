/**
 * Any decision point that speaks the OpenID AuthZEN Authorization API 1.0. Where its access evaluation endpoint is, its discovery
 * document says (§9); one that has none is asked at the path of the standard.
 */
import { z } from 'zod';
import { defined } from '../../domain/defined.js';
import type { SendKept } from '../../outbound/kept-connections.js';
import { parsed, termsSchema } from './answer.js';
import { documentAt, type DecisionPoint, type Reach } from './decision-point.js';
import { namedBy } from './named.js';
import type { Question, ToldResource } from './question.js';
import { Unanswered } from './unanswered.js';

interface AuthZen extends Reach {
  url: string;
}

const metadata = z.looseObject({ policy_decision_point: z.string(), access_evaluation_endpoint: z.string() });
const response = z.looseObject({ decision: z.boolean(), context: termsSchema.exactOptional() });

export function authzen({ url, ...reach }: AuthZen): DecisionPoint {
  let endpoint: string | undefined;

  async function evaluationEndpoint(send: SendKept): Promise<string> {
    const { origin, pathname } = new URL(url);
    const tenant = pathname === '/' ? '' : pathname;
    const found = await documentAt(reach, { url: `${origin}/.well-known/authzen-configuration${tenant}` }, send);
    if (found === undefined) return `${url}/access/v1/evaluation`;
    const { policy_decision_point: named, access_evaluation_endpoint: at } = parsed(metadata, found);
    if (named.replace(/\/$/, '') !== url)
      throw new Unanswered('malformed', 'The discovery document is of another policy decision point.');
    // Whoever can change the document must not send what the broker knows, and its token, to somebody else.
    if (!URL.canParse(at) || new URL(at).origin !== origin)
      throw new Unanswered('malformed', 'The discovery document names an endpoint elsewhere.');
    return at;
  }

  return {
    place: url,
    async ask(question, send) {
      try {
        endpoint ??= await evaluationEndpoint(send);
        const found = await documentAt(reach, { url: endpoint, body: requestOf(question) }, send);
        if (found === undefined) throw new Unanswered('status', 'The policy engine answered 404.');
        const { decision: allow, context: { lifetimeSeconds, approvals, policies, reveal, digest } = {} } = parsed(
          response,
          found,
        );
        return defined({ allow, lifetimeSeconds, approvals, policies, reveal, named: namedBy([], digest) });
      } catch (error) {
        // It may have moved: the next question looks for it again.
        endpoint = undefined;
        throw error;
      }
    },
  };
}

/** AuthZEN has an id for each entity, and everything else in `properties`. */
function requestOf({ principal, action, resource, context }: Question) {
  const { type, id, ...properties } = principal;
  return {
    subject: { type, id, properties },
    action: { name: action },
    resource: { type: resource.type, id: idOf(resource), properties: propertiesOf(resource) },
    context,
  };
}

function idOf({ type, id, target, path }: ToldResource): string {
  if (type === 'resource') return `${String(target)}#${String(path)}`;
  return String(type === 'target' ? target : (id ?? 'self'));
}

const propertiesOf = (resource: ToldResource) =>
  Object.fromEntries(Object.entries(resource).filter(([name]) => name !== 'type' && name !== 'id'));
