/** SPIFFE IDs of workloads: `spiffe://<trust domain>/<path>`. One spelling each, so that equal text is equal identity. */
const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/;
const BYTES_MAX = 2048;

/** Undefined unless it is exactly the ID of a workload: a bare trust domain names none. */
export function trustDomainOf(id: string): string | undefined {
  if (id.length > BYTES_MAX) return undefined;
  const [, trustDomain, path] = SPIFFE_ID.exec(id) ?? [];
  const climbs = path?.split('/').some((segment) => segment === '.' || segment === '..');
  return climbs ? undefined : trustDomain;
}

/** Whether a subject claims to be a SPIFFE ID, well-formed or not: no OIDC issuer may speak for one. */
export const looksLikeSpiffe = (subject: unknown): boolean =>
  typeof subject === 'string' && /^\s*spiffe:/i.test(subject);
