/** What every refusal must look like on the wire, whatever it refuses. */
import { expect } from '@jest/globals';
import type { Reply } from './calls.js';

/** Expects a refusal by RFC 6749 §5.2. */
export function expectOAuthRefusal(reply: Reply, status: number, error: string, description?: string | RegExp): void {
  const body = reply.body as { error: string; error_description: string; error_uri: string };
  expect([reply.status, body.error]).toEqual([status, error]);
  if (description !== undefined) expect(body.error_description).toMatch(description);
  expect(body.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+\.$/);
  expect(body.error_uri).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:\\d+/errors#${error}$`));
  expect(reply.headers.get('content-type')).toMatch('application/json');
  expectNoTrace(reply);
}

/** Expects a refusal by RFC 9457. */
export function expectProblem(reply: Reply, status: number, code: string, detail?: string | RegExp): void {
  const body = reply.body as { code: string; detail: string };
  expect([reply.status, body.code]).toEqual([status, code]);
  if (detail !== undefined) expect(body.detail).toMatch(detail);
  expect(body).toMatchObject({
    type: expect.stringMatching(new RegExp(`/errors#${code}$`)),
    title: expect.any(String),
    status,
    instance: reply.headers.get('x-request-id'),
  });
  expect(reply.headers.get('content-type')).toMatch('application/problem+json');
  expectNoTrace(reply);
}

/** Expects one sentence that shows nothing of the inside, in an answer that no cache keeps. */
function expectNoTrace(reply: Reply): void {
  expect(reply.text).not.toMatch(/\bat .*:\d+:\d+|node_modules|Error:|eyJ/);
  expect(reply.headers.get('cache-control')).toBe('no-store');
  expect(reply.headers.get('x-request-id')).toMatch(/^[\w.~-]+$/);
}
