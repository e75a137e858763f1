/**
 * What an endpoint takes and answers, as data. Requests are parsed by the schemas that stand here; `/openapi.json` and
 * docs/api.md are made from them.
 */
import { z } from 'zod';
import type { BrokerErrorCode } from '../../domain/errors.js';
import type { Answer, Call, Endpoint, Handle } from './endpoint.js';

export interface Contract {
  /** What the endpoint does, in Markdown: the first sentence alone says it. */
  summary: string;
  proof: Proof;
  /** Of callers who prove an identity: what policy must permit, or whose identity it must be. Markdown. */
  needs?: string;
  /** What each parameter of the path stands for. */
  path?: Readonly<Record<string, string>>;
  query?: z.ZodType;
  body?: z.ZodType;
  form?: z.ZodType;
  /** A body of another media type, with the sentence that says what it is. */
  raw?: readonly [mediaType: string, meaning: string];
  /** The request header `Idempotency-Key` is read. */
  takesIdempotencyKey?: true;
  answers: Readonly<Record<number, AnswerShape>>;
  /** What a browser gets (`text/html`), as a sentence. Whatever is refused to it is a page, too. */
  page?: string;
  /** The codes of its refusals, beside those that all endpoints with the same proof have (`refusalsOf` in openapi.ts). */
  refusals?: readonly BrokerErrorCode[];
}

/**
 * How callers prove who they are. `bearer`: an identity token in the Authorization header. `client`: the same, or as
 * `client_assertion`. `grant`: the tokens of the grant in the form, and the client where it proves itself. `container`: a token in the
 * Authorization header, without a scheme. `credential`: a credential of this broker in the
 * Authorization header. `signature`: the body is signed. `session`: a person who has signed in, by the cookie of the page for approvers.
 * `none`: anybody may ask.
 */
export type Proof = 'none' | 'bearer' | 'client' | 'grant' | 'container' | 'credential' | 'signature' | 'session';

/** By media type, what the answer has: a schema of the JSON, or of each line; or a sentence for text. None: it is empty. */
export type AnswerShape = Readonly<Record<string, z.ZodType | string>>;

export const json = (schema: z.ZodType): AnswerShape => ({ 'application/json': schema });

/** The function that answers, and what it promises. */
export type Described = Handle & { readonly contract: Contract };

export const described = (contract: Contract, handle: (call: Call) => Promise<Answer>): Described =>
  Object.assign((call: Call) => handle(call), { contract });

/** An endpoint of the route table. */
export interface DescribedEndpoint extends Endpoint {
  handle: Described;
}

/** A moment in an answer or request: RFC 3339. */
export const time = () => z.string().meta({ format: 'date-time' });
