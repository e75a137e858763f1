/** To which broker a command for people speaks, and as whom: by its options, by the environment, or by `mayfly login`. */
import type { Command } from 'commander';
import { askBroker, NotAnswered, type Question } from '../broker-client.js';
import { brokerUrl, readIdentity, tokenIn } from '../broker-options.js';
import type { Terminal } from '../terminal.js';
import { readLogin } from './kept-login.js';

export interface ConnectionOptions {
  broker?: string;
  tokenFile?: string;
}

/** Asks the broker. Returns the JSON of a 200; throws NotAnswered for any other status. */
type Ask = (url: URL, question?: Omit<Question, 'token' | 'scheme'>) => Promise<unknown>;

export interface Connection {
  /** Returns an address at the broker. What is undefined is left out of the query. */
  at: (path: string, query?: Readonly<Record<string, string | undefined>>) => URL;
  ask: Ask;
}

export const withConnection = (command: Command): Command =>
  command
    .option('--broker <url>', 'the issuer of the broker; default: MAYFLY_BROKER, or the one of `mayfly login`')
    .option('--token-file <path>', 'your identity token; default: MAYFLY_TOKEN, or the one of `mayfly login`');

export async function connected(options: ConnectionOptions, terminal: Pick<Terminal, 'env'>): Promise<Connection> {
  const { broker, token, isLogin } = await whoAndWhere(options, terminal);
  return {
    at(path, query = {}) {
      const url = brokerUrl(broker, path);
      for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
      return url;
    },
    async ask(url, question) {
      try {
        return await askBroker(url, { ...question, token, scheme: 'Bearer ' });
      } catch (error) {
        if (!isLogin || !(error instanceof NotAnswered) || error.code !== 'invalid_token') throw error;
        throw new Error(`${error.message} Log in again: mayfly login`, { cause: error });
      }
    },
  };
}

/** The token of a login goes to the broker of that login: another address on the command line must not get it. */
export async function whoAndWhere(
  { broker: named, tokenFile }: ConnectionOptions,
  { env = {} }: Pick<Terminal, 'env'>,
) {
  const login = await readLogin(env);
  const broker = named ?? (env['MAYFLY_BROKER'] || login?.broker);
  if (broker === undefined) throw new Error('Which broker? Say --broker <url>, set MAYFLY_BROKER, or `mayfly login`.');
  const given = env['MAYFLY_TOKEN'];
  if (tokenFile !== undefined) return { broker, token: await readIdentity(tokenFile), isLogin: false };
  if (given) return { broker, token: tokenIn(given, 'MAYFLY_TOKEN'), isLogin: false };
  if (login?.token === undefined)
    throw new Error('Who are you? Say --token-file <path>, set MAYFLY_TOKEN, or `mayfly login`.');
  if (brokerUrl(broker, '/').origin === login.broker) return { broker, token: login.token, isLogin: true };
  throw new Error(`You are logged in for ${login.broker}, and its token is for nobody else. Log in for ${broker}.`);
}
