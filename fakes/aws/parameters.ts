/** The parameters of a query request. A parameter that the operation does not read is refused: ignoring it could hide a mistake. */
import { AwsError, validationError } from './aws-error.js';

export interface Parameters {
  required(name: string): string;
  optional(name: string): string | undefined;
  integer(name: string, fallback: number): number;
  /** `<name>.member.1<suffix>`, `<name>.member.2<suffix>`, … */
  list(name: string, suffix?: string): string[];
  /** Throws if a parameter was sent that was not read. */
  finish(): void;
}

export function readParameters(form: URLSearchParams): Parameters {
  const left = new Map(form);
  if (left.size !== form.size) throw new AwsError('MalformedQueryString', 'A parameter was sent twice');
  const optional = (name: string): string | undefined => {
    const value = left.get(name);
    left.delete(name);
    return value;
  };
  const required = (name: string): string => {
    const value = optional(name);
    if (value === undefined) throw validationError(`Value at '${name}' failed to satisfy constraint: must not be null`);
    return value;
  };
  return {
    optional,
    required,
    integer(name, fallback) {
      const text = optional(name) ?? String(fallback);
      if (!/^\d{1,9}$/.test(text)) throw new AwsError('MalformedInput', `${name} is not an integer`);
      return Number(text);
    },
    list(name, suffix = '') {
      if (left.get(name) === '') left.delete(name); // The SDK sends an empty list like this.
      const items: string[] = [];
      for (;;) {
        const item = optional(`${name}.member.${items.length + 1}${suffix}`);
        if (item === undefined) return items;
        items.push(item);
      }
    },
    finish() {
      const [name] = left.keys();
      if (name !== undefined) throw validationError(`${name} is not understood by this loopback AWS`);
    },
  };
}
