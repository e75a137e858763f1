/** `mayfly aws-credentials`: AWS credentials for SDKs that run a program to get them (`credential_process`). */
import { Option, type Command } from 'commander';
import { askBroker } from '../broker-client.js';
import { brokerUrl, readIdentity } from '../broker-options.js';
import type { Terminal } from '../terminal.js';
import { defined } from '../../domain/defined.js';
import {
  containerCredentialsSchema,
  toProcessCredentials,
  type ProcessCredentials,
} from '../../protocol/aws-credentials.js';

interface Options {
  broker: string;
  target: string;
  tokenFile: string;
  task?: string;
  purpose?: string;
  access?: string;
}

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
      out(JSON.stringify(await fetchCredentials(addressOf(options), await readIdentity(options.tokenFile))));
    });
}

/** Fetches the keys of a session from the broker, with one request. Its errors never contain the identity token or a key. */
export async function fetchCredentials(url: URL, token: string, timeoutMs?: number): Promise<ProcessCredentials> {
  const answer = containerCredentialsSchema.safeParse(await askBroker(url, defined({ token, timeoutMs })));
  if (!answer.success) throw new Error(`${url.origin} answered with something else than AWS credentials.`);
  return toProcessCredentials(answer.data);
}

function addressOf({ broker, target, task, purpose, access }: Options): URL {
  const url = brokerUrl(broker, `/aws/credentials/${encodeURIComponent(target)}`);
  if (task === undefined && purpose === undefined) throw new Error('Give --task <id> or --purpose <text>.');
  if (task !== undefined) url.searchParams.set('task', task);
  if (purpose !== undefined) url.searchParams.set('purpose', purpose);
  if (access !== undefined) url.searchParams.set('authorization_details', access);
  return url;
}
