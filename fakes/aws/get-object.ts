/**
 * A data plane to try credentials on: `GET /s3/<bucket>/<key>`. The request is signed; for a demonstration with curl, the headers
 * `x-access-key-id` and `x-security-token` are enough. Every object exists, and contains its name.
 */
import type { Account } from './account.js';
import { accessDenied, AwsError } from './aws-error.js';
import { decide } from './may.js';
import type { Received } from './received.js';
import { sessionArn, type Session } from './session.js';
import { liveSession, signer } from './signature.js';

export function getObject(account: Account, request: Received): string {
  const [, bucket = '', key = ''] = /^\/s3\/([a-z0-9.-]{3,63})\/(.+)$/.exec(request.path) ?? [];
  if (bucket === '') throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
  const session = callerOf(account, request);
  const resource = `arn:aws:s3:::${bucket}/${decodeURIComponent(key)}`;
  if (decide(session, { action: 's3:GetObject', resource, at: account.now() }) !== 'allow')
    throw accessDenied(`User: ${sessionArn(session, account)}`, 's3:GetObject', resource);
  return `This is ${resource}\n`;
}

function callerOf(account: Account, request: Received): Session {
  const id = request.headers['x-access-key-id'];
  if (id === undefined) return signer(account, request, 's3');
  return liveSession(account, id, request.headers['x-security-token']);
}
