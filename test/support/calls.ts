/** Plain fetch, spelled for the endpoints of a broker. */

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  /** Parsed, when it is JSON. */
  body: unknown;
}

export type Form = Record<string, string | undefined> | [string, string][];

export interface Calls {
  get(path: string, bearer?: string, headers?: Record<string, string>): Promise<Reply>;
  remove(path: string, bearer?: string): Promise<Reply>;
  /** A JSON body, or text sent as JSON. */
  post(path: string, body: unknown, bearer?: string, headers?: Record<string, string>): Promise<Reply>;
  form(path: string, form: Form, headers?: Record<string, string>): Promise<Reply>;
  /** POST /token with `token` as the subject; `wish` replaces parameters, undefined removes them. */
  exchange(token: string, wish?: Record<string, string | undefined>, headers?: Record<string, string>): Promise<Reply>;
  introspect(token: string, bearer: string): Promise<Reply>;
  send(path: string, init: RequestInit): Promise<Reply>;
}

export interface Sent {
  /** With the query string. */
  path: string;
  method: string;
  body: unknown;
}

const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** @param examine What is thrown here fails the test that made the call. */
export function calls(url: string, examine: (sent: Sent, reply: Reply) => void = () => undefined): Calls {
  const send = async (path: string, init: RequestInit): Promise<Reply> => {
    const response = await fetch(`${url}${path}`, { redirect: 'error', ...init });
    const text = await response.text();
    const reply = { status: response.status, headers: response.headers, text, body: parsed(text) };
    examine({ path, method: init.method ?? 'GET', body: init.body }, reply);
    return reply;
  };
  const form = (path: string, fields: Form, headers: Record<string, string> = {}) =>
    send(path, { method: 'POST', body: new URLSearchParams(pairsOf(fields)), headers });
  return {
    send,
    form,
    get: (path, bearer, headers) => send(path, { headers: { ...as(bearer), ...headers } }),
    remove: (path, bearer) => send(path, { method: 'DELETE', headers: as(bearer) }),
    post: (path, body, bearer, headers) =>
      send(path, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...as(bearer), ...headers },
      }),
    exchange: (token, wish, headers) => form('/token', { ...exchangeForm(token), ...wish }, headers),
    introspect: (token, bearer) => form('/introspect', { token }, as(bearer)),
  };
}

/** A request that the policies of development permit to an agent of the team sre. */
export const exchangeForm = (token: string) => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token: token,
  subject_token_type: JWT,
  resource: 'https://tickets.example',
  scope: 'incident/4711:read',
  purpose: 'summarise incident 4711',
});

const as = (bearer: string | undefined): Record<string, string> =>
  bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };

const pairsOf = (form: Form): [string, string][] =>
  Array.isArray(form)
    ? form
    : Object.entries(form).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]]));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
