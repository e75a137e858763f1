/** Plain HTTP: one call, and checks of its answer. */
import type { z } from 'zod';
import { z as schemas } from 'zod';
import { Unexpected } from './unexpected.js';

export interface Reply {
  status: number;
  text: string;
}

export interface Asking {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  bearer?: string;
  json?: object;
  form?: Record<string, string>;
  /** A Security Event Token. */
  event?: string;
  accept?: string;
  headers?: Record<string, string>;
}

export async function call(url: string, asking: Asking = {}): Promise<Reply> {
  const { method, bearer, json, form, event, accept, headers } = asking;
  const body = json ? JSON.stringify(json) : form ? new URLSearchParams(form) : event;
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...(json && { 'content-type': 'application/json' }),
      ...(event !== undefined && { 'content-type': 'application/secevent+jwt' }),
      ...(accept !== undefined && { accept }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  });
  return { status: response.status, text: await response.text() };
}

/** Returns the body of a successful answer. */
export function good<T>(reply: Reply, schema: z.ZodType<T>, status = 200): T {
  const parsed = reply.status === status ? schema.safeParse(jsonOf(reply.text)) : undefined;
  if (parsed?.success) return parsed.data;
  throw new Unexpected(`HTTP ${status}${parsed ? ' of another form' : ''}`, `HTTP ${reply.status} ${reply.text}`);
}

/** Returns the sentence of a refusal, which must have this code. */
export function refusal(reply: Reply, code: string): string {
  const parsed = refusalSchema.safeParse(jsonOf(reply.text));
  const came = parsed.success ? (parsed.data.error ?? parsed.data.code) : undefined;
  if (reply.status < 400 || !parsed.success || came !== code) {
    throw new Unexpected(`a refusal with the code ${code}`, `HTTP ${reply.status} ${reply.text}`);
  }
  const { error_description: sentence, detail, retry } = parsed.data;
  return `${code}: ${sentence ?? detail ?? ''}${retry === undefined ? '' : ` (retry: ${retry})`}`;
}

/** A refusal in the form of OAuth (RFC 6749 §5.2) or of RFC 9457. */
const refusalSchema = schemas.object({
  error: schemas.string().optional(),
  error_description: schemas.string().optional(),
  code: schemas.string().optional(),
  detail: schemas.string().optional(),
  retry: schemas.string().optional(),
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
