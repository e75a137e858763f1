/** Sessions of the AWS role: how a workload requests them, and what broker and AWS answer about them. */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { processCredentialsSchema, type ProcessCredentials } from '../../src/protocol/aws-credentials.js';
import { aws } from '../../src/targets/aws.js';
import { ROLE, TENANT_42 } from './aws-account.js';
import { good } from './http.js';
import type { Stage } from './stage.js';
import { expectThat } from './unexpected.js';

export interface Session {
  keys: ProcessCredentials;
  taskId: string;
}

const issuedSchema = z.object({ access_token: z.string(), task_id: z.string() });
const PATIENCE_MS = 30_000;

/** Requests a session that may read the objects of tenant 42. Repeats the request until the role is ready. */
export async function openSession(
  stage: Stage,
  agent: string,
  wish: { purpose: string; lifetime: string },
): Promise<Session> {
  const identity = await stage.identity(agent);
  const until = performance.now() + PATIENCE_MS;
  const detail = { type: aws.detailType, locations: [ROLE], identifier: TENANT_42, actions: ['s3:GetObject'] };
  const asking = { resource: ROLE, authorization_details: JSON.stringify([detail]), ...wish };
  let reply = await stage.exchange(identity, asking);
  while (reply.status === 503 && performance.now() < until) {
    await pause(500);
    reply = await stage.exchange(identity, asking);
  }
  const { access_token: text, task_id: taskId } = good(reply, issuedSchema);
  return { keys: processCredentialsSchema.parse(JSON.parse(text)), taskId };
}

/** Checks what AWS answers to a read with this session, and returns it in a few words. */
export async function reads(stage: Stage, { keys }: Session, object: string, wanted: 200 | 403): Promise<string> {
  const { status, text } = await stage.aws.read(keys, object);
  expectThat(status === wanted, `HTTP ${wanted}`, `HTTP ${status}`);
  return `${status} ${/<Code>(\w+)</.exec(text)?.[1] ?? text.trim()}`;
}

const effectSchema = z.object({ effect: z.string(), boundedBySeconds: z.number().optional() });
const credentialSchema = z.object({ id: z.string(), end: effectSchema });

/** Returns how far the end of this session has come: GET /credentials/<access key id>. */
export async function endOf(stage: Stage, { keys }: Session): Promise<z.infer<typeof credentialSchema>> {
  const bearer = await stage.identity('soc');
  return good(await stage.ask(`/credentials/${keys.AccessKeyId}`, { bearer }), credentialSchema);
}

/** Returns the minutes until AWS itself would end the session. */
export const minutesLeft = (stage: Stage, { keys }: Session): string =>
  ((stage.aws.expiryOf(keys.AccessKeyId) - Date.now()) / 60_000).toFixed(1);
