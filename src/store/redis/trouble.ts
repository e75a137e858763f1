/** Why Redis cannot be reached, in one sentence for an operator: where, how it was tried, and the cause. */

/** How a connection is tried. It holds no secret. */
export interface Attempt {
  /** `Redis at redis.example:6379`, without a scheme. */
  where: string;
  tls: boolean;
  /** Absent: nobody in particular, which Redis calls `default`. */
  username?: string | undefined;
  hasPassword: boolean;
  /** Certificates of one's own choosing are trusted, not those of the system. */
  hasAuthority: boolean;
}

/** @param errors what the connection met, the earliest first: it says more than those that follow from it */
export function trouble(attempt: Attempt, errors: readonly unknown[]): string {
  const texts = errors.map(textOf);
  const cause = texts.map((text) => causeIn(text, attempt)).find((found) => found !== undefined);
  return `${attempt.where} (${howOf(attempt)}): ${cause ?? closedUnheard(attempt)}`;
}

function howOf({ tls, username, hasPassword }: Attempt): string {
  const who = username === undefined ? '' : ` as ${username}`;
  return `${tls ? 'by TLS' : 'without TLS'}${who}, ${hasPassword ? 'with' : 'without'} a password`;
}

const UNKNOWN_SIGNER =
  /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY_LEAF|GET_ISSUER)|CERT_SIGNATURE_FAILURE|self.signed certificate/;
const NO_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|wrong version number/;

function causeIn(text: string, { tls, hasPassword, hasAuthority }: Attempt): string | undefined {
  const causes: [RegExp, string][] = [
    [/WRONGPASS/, 'the user and the password are not accepted'],
    [/NOAUTH/, hasPassword ? 'the password is not accepted' : 'it wants a password: set it in REDIS_URL'],
    [/NOPERM/, 'the user may not run a command that a broker needs: docs/operations.md lists them'],
    [/ECONNREFUSED/, 'nothing listens there'],
    [/ENOTFOUND|EAI_AGAIN/, 'the name has no address'],
    [/EHOSTUNREACH|ENETUNREACH/, 'no route leads there'],
    [UNKNOWN_SIGNER, `its certificate is of an authority that ${hasAuthority ? 'is not in redis.ca' : 'the system does not know: name the authority in redis.ca'}`],
    [/CERT_HAS_EXPIRED/, 'its certificate has expired'],
    [/ALTNAME_INVALID/, 'its certificate is for another name'],
    [/CERTIFICATE_REQUIRED|certificate required/, 'it wants a client certificate, and Mayfly has none: set tls-auth-clients no'],
    [NO_TLS, 'it speaks no TLS there: write redis://, or name its TLS port'],
    [/invalid reply: null|No such master/, 'the Sentinels know no primary of this name'],
    [/failed to connect to sentinel/, 'no Sentinel answers there, as where nothing listens, or TLS is on one side only'],
    [/ETIMEDOUT|timed out/, `nothing answered in time${tls ? ', as where a port speaks no TLS' : ''}`],
    [/LOADING/, 'it is still loading its data'],
    [/maxclients|max number of clients/, 'it takes no more clients (maxclients)'],
    [/DENIED/, 'it is in protected mode: give it a password, or bind it to a network'],
  ]; // prettier-ignore
  return causes.find(([sign]) => sign.test(text))?.[1];
}

/** The server ended the connection and said nothing that this file knows. */
const closedUnheard = ({ tls }: Attempt): string =>
  tls
    ? 'it closed the connection in the TLS handshake'
    : 'it closed the connection without an answer, as a TLS port does: then write rediss://';

/** Returns the codes and messages of an error and of those that caused it. They are searched, and never shown. */
function textOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { code, message, lastNodeError } = error as { code?: unknown; message?: unknown; lastNodeError?: unknown };
  const own = [code, message].filter((text) => typeof text === 'string');
  return [...own, textOf(lastNodeError)].join(' ');
}
