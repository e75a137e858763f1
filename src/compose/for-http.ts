/** What the API needs of the configuration, beside its use cases. */
import type { LoadedConfig } from '../config/load.js';
import { defined } from '../domain/defined.js';
import type { Clock } from '../domain/time.js';
import { redirectUriOf } from '../http/page/sign-in.js';
import { openBrowserLogin, type BrowserLogin } from '../identity/browser-login.js';
import type { Keys } from '../keys/keys.js';
import type { ProxyFor } from '../outbound/proxy.js';

interface Around {
  clock: Clock;
  proxyFor: ProxyFor;
  keys: Pick<Keys, 'sign'>;
}

export const forHttp = ({ config }: Pick<LoadedConfig, 'config'>, around: Around) =>
  defined({ webhooks: config.notify, trustProxy: config.trustProxy, login: loginOf(config, around) });

/** Returns how approvers sign in; undefined where no page is configured. */
function loginOf(
  { approvals: { page }, trust, issuer, lifetimes }: LoadedConfig['config'],
  { keys, ...around }: Around,
): BrowserLogin | undefined {
  const entry = trust.find(({ name }) => name === page?.trust);
  if (!page || entry?.kind !== 'oidc') return undefined;
  return openBrowserLogin({
    ...around,
    page,
    provider: entry.issuer,
    redirectUri: redirectUriOf(issuer),
    clockSkewSeconds: lifetimes.clockSkew,
    sign: keys.sign,
  });
}
