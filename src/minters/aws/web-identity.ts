/**
 * The JWT that proves to STS whom a session is for. Whoever has it can mint sessions until it expires, because AWS does not
 * remember that it was used. So it is signed for one request, lives a minute, and is never logged, stored or handed out.
 */
import { randomUUID } from 'node:crypto';
import { toSeconds, type Clock } from '../../domain/time.js';
import { STS_PROOF_MS } from '../../domain/timing.js';
import type { Keys } from '../../keys/keys.js';
import type { Task } from '../../domain/task.js';
import { originClaims, ownOriginClaims } from '../../targets/aws-origin.js';
import { workloadTag, type SessionTags } from './tags.js';

/** The name of the broker's own sessions. CloudTrail shows it. */
export const REVOKER = 'mayfly-revoker';

export interface Issuer {
  keys: Pick<Keys, 'sign'>;
  clock: Clock;
  issuer: string;
  /** A client id of the OIDC provider at AWS. It is a single string, since AWS wants an `azp` beside a list. */
  audience: string;
  /** Whether sessions say for whom they are. The broker's own always says so: whether AWS asks may change before it does. */
  context: boolean;
}

/**
 * Returns the JWT for a session that is handed out. Its tags are transitive, so they survive when the session assumes
 * another role.
 */
export const sessionIdentity = (by: Issuer, task: Task, tags: SessionTags): Promise<string> =>
  signed(by, {
    ...(by.context && originClaims(task)),
    sub: `wl:${workloadTag(task)}`,
    jti: tags.jc,
    'https://aws.amazon.com/tags': {
      principal_tags: { jc: [tags.jc], jt: [tags.jt], jw: [tags.jw] },
      transitive_tag_keys: ['jc', 'jt', 'jw'],
    },
    'https://aws.amazon.com/source_identity': tags.jc,
  });

/**
 * Returns the JWT for the broker's own session, with which it writes deny policies. It has no tags. Its `sub` differs from
 * that of every session that is handed out, so a role's trust policy can keep the two powers apart.
 */
export const revokerIdentity = (by: Issuer): Promise<string> =>
  signed(by, {
    ...ownOriginClaims(REVOKER),
    sub: 'broker:revoker',
    jti: randomUUID(),
    'https://aws.amazon.com/source_identity': REVOKER,
  });

function signed({ keys, clock, issuer, audience }: Issuer, claims: Record<string, unknown>): Promise<string> {
  const iat = toSeconds(clock.unchecked());
  return keys.sign({ iss: issuer, aud: audience, iat, exp: iat + toSeconds(STS_PROOF_MS), ...claims }, { typ: 'JWT' });
}
