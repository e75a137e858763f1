/** `mayfly login` and `mayfly logout`: a person proves who they are at their own provider, and the commands speak for them. */
import { InvalidArgumentError, type Command } from 'commander';
import { isSafeOrigin } from '../../domain/safe-origin.js';
import { masked } from '../../domain/text.js';
import { brokerUrl } from '../broker-options.js';
import type { Terminal } from '../terminal.js';
import { readLogin, writeLogin } from './kept-login.js';
import { signIn } from './sign-in.js';

interface Options {
  broker?: string;
  provider?: string;
  clientId?: string;
  scope?: string;
  device?: true;
  port: number;
}

const EXAMPLE = `
  mayfly login --broker https://mayfly.example --provider https://idp.example --client-id mayfly-cli
  mayfly login                     (the same again)

The provider has a public client of that id, whose redirect is http://127.0.0.1 with any port. The broker has an entry in
\`trust\` for it, with \`represents: person\` and the client id as audience: docs/on-call.md.`;

export function addLogin(program: Command, terminal: Terminal): void {
  program
    .command('login')
    .description('prove who you are at your provider (OpenID Connect), for all commands that follow')
    .option('--broker <url>', 'the issuer of the broker; default: as before, or MAYFLY_BROKER')
    .option('--provider <issuer>', 'the issuer of your identity provider; default: as before', issuerOf)
    .option('--client-id <id>', 'the client that the provider has for this command; default: as before')
    .option('--scope <scopes>', 'default: as before, or "openid email"')
    .option('--device', 'on a host without a browser: the login is done on another one, by a code')
    .option('--port <number>', 'of the redirect on 127.0.0.1, where the provider wants a fixed one', portOf, 0)
    .addHelpText('after', EXAMPLE)
    .action((options: Options) => login(options, terminal));
}

export function addLogout(program: Command, terminal: Terminal): void {
  program
    .command('logout')
    .description('forget the identity token of the login')
    .action(async () => {
      const { env = {}, out } = terminal;
      const before = await readLogin(env);
      if (before?.token === undefined) {
        out('You were not logged in.');
        return;
      }
      const { broker, provider, clientId, scope } = before;
      await writeLogin(env, { broker, provider, clientId, scope });
      out('The token is deleted. It stays valid until it expires: whoever has a copy can use it.');
    });
}

async function login(options: Options, { env = {}, out, err }: Terminal): Promise<void> {
  const before = await readLogin(env);
  const broker = options.broker ?? (env['MAYFLY_BROKER'] || before?.broker);
  const provider = options.provider ?? before?.provider;
  const clientId = options.clientId ?? before?.clientId;
  if (broker === undefined || provider === undefined || clientId === undefined)
    throw new Error('The first login needs --broker <url>, --provider <issuer> and --client-id <id>.');
  const scope = options.scope ?? before?.scope ?? 'openid email';
  const { origin } = brokerUrl(broker, '/');
  const { token, who, until } = await signIn({ provider, clientId, scope, ...options }, err);
  const file = await writeLogin(env, { broker: origin, provider, clientId, scope, token });
  out(masked(`You are ${who} at ${provider} until ${until}, for ${origin}. The token is in ${file}.`));
}

function issuerOf(text: string): string {
  if (URL.canParse(text) && isSafeOrigin(new URL(text).origin)) return text;
  throw new InvalidArgumentError('It is a URL such as https://idp.example (http only on loopback).');
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('It is the number of a port.');
}
