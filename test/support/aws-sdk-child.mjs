/**
 * AWS's own SDK in a process of its own, with its default credentials: one call for each line read, one line of answer each.
 * A line says what time it is.
 */
import { createInterface } from 'node:readline';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

const client = new STSClient({ endpoint: process.argv[2], maxAttempts: 1 });

for await (const now of createInterface({ input: process.stdin })) {
  Date.now = () => Number(now);
  const answer = await client.send(new GetCallerIdentityCommand()).then(
    ({ Arn }) => ({ arn: Arn }),
    (error) => ({ error: `${error.name}: ${error.message}` }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
