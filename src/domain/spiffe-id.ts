/** SPIFFE IDs of workloads: `spiffe://<trust domain>/<path>`. */
import { isName } from './name.js';

/** In one spelling only, so that equal text is equal identity. */
const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/;

/**
 * Returns the trust domain of a SPIFFE ID; undefined unless the text is exactly the SPIFFE ID of a workload. A trust domain
 * without a path names no workload.
 */
export function trustDomainOf(id: string): string | undefined {
  if (!isName(id)) return undefined;
  const [, trustDomain, path] = SPIFFE_ID.exec(id) ?? [];
  const climbs = path?.split('/').some((segment) => segment === '.' || segment === '..');
  return climbs ? undefined : trustDomain;
}
