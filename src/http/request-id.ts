/** The id of a request: the caller's if it is harmless in logs, headers and URIs, else one of ours. Always answered. */
import { randomUUID } from 'node:crypto';

const HARMLESS = /^[\w.~-]{1,64}$/;

export const requestIdOf = (sent: string | undefined): string =>
  sent !== undefined && HARMLESS.test(sent) ? sent : `req_${randomUUID()}`;
