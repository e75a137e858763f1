/** When it makes sense to ask again after a refusal; docs/errors.md explains each value. Broker and client read it from here. */
export const RETRIES = ['never', 'with-less', 'after-approval', 'after-lift', 'later'];
export const isRetry = (value) => RETRIES.some((one) => one === value);
