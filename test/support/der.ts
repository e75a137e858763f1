/** Returns a signature of ES256, two numbers side by side, as DER writes it: each number with what keeps it positive. */
export function derOf(signature: string): string {
  const bytes = Buffer.from(signature, 'base64url');
  const numbers = [bytes.subarray(0, 32), bytes.subarray(32)].map((number) =>
    Buffer.concat([Buffer.from(number[0]! < 0x80 ? [2, 32] : [2, 33, 0]), number]),
  );
  const body = Buffer.concat(numbers);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]).toString('base64url');
}
