/** An error of AWS on the wire. The SDK uses the code as the `name` of its error. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const accessDenied = (who: string, action: string, resource: string): AwsError =>
  new AwsError('AccessDenied', `${who} is not authorized to perform: ${action} on resource: ${resource}`, 403);

export const validationError = (message: string): AwsError =>
  new AwsError('ValidationError', `1 validation error detected: ${message}`);
