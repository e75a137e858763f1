/** `mayfly aws-credentials`: AWS credentials for SDKs that run a program to get them (`credential_process`). */
import { Option, type Command } from 'commander';
import { z } from 'zod';
import { isSafeOrigin } from '../../domain/safe-origin.js';
import { oneLine } from '../../domain/text.js';
import {
  containerCredentialsSchema,
  toProcessCredentials,
  type ProcessCredentials,
} from '../../protocol/aws-credentials.js';
import { askBroker } from '../ask-broker.js';
import type { Terminal } from '../terminal.js';
import { tokenIn } from '../token-in.js';

interface Options {
  broker: string;
  target: string;
  tokenFile: string;
  task?: string;
  purpose?: string;
  access?: string;
}

const TIMEOUT_MS = 10_000;

const EXAMPLE = `
In ~/.aws/config:

  [profile agent]
  region = eu-central-1
  credential_process = mayfly aws-credentials --broker https://mayfly.example --task tsk_…
    --target arn:aws:iam::111122223333:role/jit/agent --token-file /var/run/secrets/mayfly/token

on one line.`;

export function addAwsCredentials(program: Command, { out }: Terminal): void {
  program
    .command('aws-credentials')
    .description('print AWS credentials from a broker, as credential_process of ~/.aws/config takes them')
    .requiredOption('--broker <url>', 'the issuer of the broker')
    .requiredOption('--target <role ARN>', 'the resource of the target')
    .requiredOption('--token-file <path>', "the workload's identity token, such as a projected service account token")
    .option('--task <id>', 'under which task')
    .addOption(new Option('--purpose <text>', 'or for a new task, with this purpose').conflicts('task'))
    .option('--access <json>', 'what for, as authorization_details (RFC 9396)')
    .addHelpText('after', EXAMPLE)
    .action(async (options: Options) => {
      out(JSON.stringify(await fetchCredentials(addressOf(options), await tokenIn(options.tokenFile))));
    });
}

/** One request to the broker. Its errors never contain the identity token or a key. */
export async function fetchCredentials(url: URL, token: string, timeoutMs = TIMEOUT_MS): Promise<ProcessCredentials> {
  const { status, body } = await askBroker(url, { authorization: token, timeoutMs });
  if (status !== 200) throw new Error(refusalText(status, body, token));
  const answer = containerCredentialsSchema.safeParse(body);
  if (!answer.success) throw new Error(`${url.origin} answered with something else than AWS credentials.`);
  return toProcessCredentials(answer.data);
}

function addressOf({ broker, target, task, purpose, access }: Options): URL {
  const origin = broker.replace(/\/$/, '');
  // The identity token goes to this address: never in clear text over a network.
  if (!isSafeOrigin(origin))
    throw new Error('--broker is an origin such as https://mayfly.example (http only on loopback).');
  if (task === undefined && purpose === undefined) throw new Error('Give --task <id> or --purpose <text>.');
  const url = new URL(`/aws/credentials/${encodeURIComponent(target)}`, origin);
  if (task !== undefined) url.searchParams.set('task', task);
  if (purpose !== undefined) url.searchParams.set('purpose', purpose);
  if (access !== undefined) url.searchParams.set('authorization_details', access);
  return url;
}

const refusalSchema = z.object({ code: z.string(), message: z.string() });

/** The answer may come from something that is no broker, and its text goes to a terminal. The token in it is masked. */
function refusalText(status: number, body: unknown, token: string): string {
  const refusal = refusalSchema.safeParse(body);
  if (!refusal.success) return `The broker answered ${status}.`;
  const { code, message } = refusal.data;
  return oneLine(`${code}: ${message}`.replaceAll(token, '…'));
}
