/**
 * The session that signed a request, by AWS Signature Version 4. The age of the signature is not checked: the SDK signs with the
 * real time, and a test may set the clock here.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Account } from './account.js';
import { AwsError } from './aws-error.js';
import type { Received } from './received.js';
import type { Session } from './session.js';

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)\/((\d{8})\/([a-z0-9-]+)\/([a-z0-9]+)\/aws4_request), ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;
const MUST_BE_SIGNED = ['host', 'x-amz-date', 'x-amz-security-token'];

/** @param service The service whose name must be in the scope of the signature. */
export function signer(account: Account, request: Received, service: string): Session {
  const { headers } = request;
  const parts = AUTHORIZATION.exec(headers['authorization'] ?? '');
  if (!parts) throw forbidden('MissingAuthenticationToken', 'Request is missing Authentication Token');
  const [, id = '', scope = '', day = '', region = '', scopeService = '', signedHeaders = '', signature = ''] = parts;
  const session = liveSession(account, id, headers['x-amz-security-token']);
  const names = signedHeaders.split(';');
  if (scopeService !== service || !MUST_BE_SIGNED.every((name) => names.includes(name)))
    throw forbidden('SignatureDoesNotMatch', 'Credential scope or signed headers are not as they should be');
  const canonical = [
    request.method,
    request.path,
    request.query,
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders,
    sha256(request.body),
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${session.secretAccessKey}`);
  if (!timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex')))
    throw forbidden('SignatureDoesNotMatch', 'The request signature we calculated does not match the one provided');
  return session;
}

export function liveSession(account: Account, accessKeyId: string, sessionToken: string | undefined): Session {
  const session = account.sessions.get(accessKeyId);
  if (!session || session.sessionToken !== sessionToken)
    throw forbidden('InvalidClientTokenId', 'The security token included in the request is invalid');
  if (account.now() >= session.expiresAt)
    throw forbidden('ExpiredToken', 'The security token included in the request is expired');
  return session;
}

const forbidden = (code: string, message: string): AwsError => new AwsError(code, message, 403);
const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
const hmac = (key: string | Buffer, content: string): Buffer => createHmac('sha256', key).update(content).digest();
