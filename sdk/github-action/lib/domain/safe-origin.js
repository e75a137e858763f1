/** Origins to which a token or key may be sent: over TLS, or in clear text on this machine alone. */
const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost', '[::1]'];
/** @param hostname as a URL has it: an IPv6 address in brackets */
export const isLoopback = (hostname) => LOOPBACK_HOSTS.includes(hostname);
/** Returns whether the text is exactly an origin (no path, no trailing slash) with https, or with http on a loopback host. */
export function isSafeOrigin(text) {
  if (!URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  return origin === text && (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname)));
}
