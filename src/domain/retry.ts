/** When it makes sense to ask again after a refusal; docs/errors.md explains each value. Broker and client read it from here. */
export const RETRIES = ['never', 'with-less', 'after-approval', 'after-lift', 'later'] as const;

export type Retry = (typeof RETRIES)[number];

export const isRetry = (value: unknown): value is Retry => RETRIES.some((one) => one === value);
