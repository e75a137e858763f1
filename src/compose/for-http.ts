/** What the API needs of the configuration, beside its use cases. */
import type { LoadedConfig } from '../config/load.js';
import { defined } from '../domain/defined.js';
import type { Clock } from '../domain/time.js';
import { redirectUriOf } from '../http/page/sign-in.js';
import { openBrowserLogin, type BrowserLogin } from '../identity/browser-login.js';
import type { Keys } from '../keys/keys.js';
import type { ProxyFor } from '../outbound/proxy.js';
import { assertWithin } from './rate.js';

/** Of one address, behind which there may be a whole office. */
const LOGINS_PER_MINUTE = 60;

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
    assertWithin: assertWithin({
      perMinute: LOGINS_PER_MINUTE,
      refusal: `From one address ${LOGINS_PER_MINUTE} people may sign in a minute.`,
    }),
  });
}
