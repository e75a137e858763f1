/**
 * The JWT by which the broker proves to STS whom a session is for. Who has it can mint until it expires, and AWS does not
 * remember that it was used: it is made for one request, lives a minute, and is neither logged nor kept nor handed on.
 */
import { randomUUID } from 'node:crypto';
import { toSeconds, type Clock } from '../../domain/time.js';
import type { Keys } from '../../keys/keys.js';
import type { SessionTags } from './tags.js';

/** The name of the broker's own sessions, in CloudTrail too. */
export const REVOKER = 'mayfly-revoker';

const LIFETIME_SECONDS = 60;

export interface Issuer {
  keys: Pick<Keys, 'sign'>;
  clock: Clock;
  issuer: string;
  /** One of the client ids of the OIDC provider at AWS. A single string: AWS wants an `azp` beside a list. */
  audience: string;
}

/** For a session that is handed out. The tags are transitive, so that they outlive a change of role. */
export const sessionIdentity = (by: Issuer, workload: string, tags: SessionTags): Promise<string> =>
  signed(by, {
    sub: `wl:${workload}`,
    jti: tags.jc,
    'https://aws.amazon.com/tags': {
      principal_tags: { jc: [tags.jc], jt: [tags.jt], jw: [tags.jw] },
      transitive_tag_keys: ['jc', 'jt', 'jw'],
    },
    'https://aws.amazon.com/source_identity': tags.jc,
  });

/**
 * For the broker's own session, with which it writes deny policies. It stands for no workload and has no tags; its `sub` is
 * another than any of a session that is handed out, so that a role's trust policy can tell one power from the other.
 */
export const revokerIdentity = (by: Issuer): Promise<string> =>
  signed(by, { sub: 'broker:revoker', jti: randomUUID(), 'https://aws.amazon.com/source_identity': REVOKER });

function signed({ keys, clock, issuer, audience }: Issuer, claims: Record<string, unknown>): Promise<string> {
  const iat = toSeconds(clock.now());
  return keys.sign({ iss: issuer, aud: audience, iat, exp: iat + LIFETIME_SECONDS, ...claims }, { typ: 'JWT' });
}
