/** The cookies of the page. `__Host-` keeps other hosts of the domain from setting them, and each is a secret, or hides one, and nothing else. */
import type { Call } from '../wire/endpoint.js';

export const SESSION_COOKIE = '__Host-mayfly-approver';
export const LOGIN_COOKIE = '__Host-mayfly-login';

interface Cookie {
  name: string;
  value: string;
  seconds: number;
  /** `Strict`: never sent with a request that another site has caused. `Lax`: sent when the provider sends the browser back. */
  sameSite: 'Strict' | 'Lax';
}

export const cookie = ({ name, value, seconds, sameSite }: Cookie): string =>
  `${name}=${value}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=${sameSite}`;

export const noCookie = (name: string): string => cookie({ name, value: '', seconds: 0, sameSite: 'Strict' });

/** Returns the value; undefined where the browser sent none, or two of one name. */
export function cookieOf({ headers }: Pick<Call, 'headers'>, name: string): string | undefined {
  const found = (headers.cookie ?? '').split(/; */).filter((one) => one.startsWith(`${name}=`));
  return found.length === 1 ? found[0]?.slice(name.length + 1) : undefined;
}
