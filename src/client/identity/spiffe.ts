/** A JWT-SVID from the SPIFFE Workload API (SPIFFE Workload API, §6.2.1): one gRPC call over a Unix socket, so no library is needed. */
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { IdentityUnavailable, MayflyError } from '../errors.js';
import type { IdentitySource } from '../request.js';

const ANSWER_BYTES_MAX = 1_000_000;
const TIMEOUT_MS = 5_000;

/**
 * Asks the SPIFFE agent for a JWT-SVID each time; the agent keeps them.
 * @param audience what the broker expects as `aud`: its issuer, unless its configuration says otherwise
 * @param socket such as `unix:///run/spire/agent.sock`; default: SPIFFE_ENDPOINT_SOCKET
 */
export function fromSpiffe(audience: string, socket = process.env['SPIFFE_ENDPOINT_SOCKET']): IdentitySource {
  const path = /^unix:(?:\/\/)?(\/[^?#]+)$/.exec(socket ?? '')?.[1];
  if (path === undefined) {
    throw new MayflyError('The SPIFFE socket must read unix:///path: set SPIFFE_ENDPOINT_SOCKET, or name it.');
  }
  return async () => {
    const svid = firstSvid(await call(path, audience));
    if (svid === undefined)
      throw new IdentityUnavailable('The SPIFFE agent gave no JWT-SVID: is the workload registered?');
    return svid;
  };
}

/** Returns the bytes of the one message of the answer. */
function call(path: string, audience: string): Promise<Buffer> {
  const socket = connect(path);
  const session = connectHttp2('http://localhost', { createConnection: () => socket });
  return new Promise<Buffer>((resolve, reject) => {
    const fail = (why: string) => reject(new IdentityUnavailable(`The SPIFFE agent ${why}.`));
    socket.on('error', () => fail('cannot be reached'));
    session.on('error', () => fail('broke off'));
    const stream = session.request({
      ':method': 'POST',
      ':path': '/SpiffeWorkloadAPI/FetchJWTSVID',
      'content-type': 'application/grpc',
      te: 'trailers',
      // Without it the agent refuses: a request that was forged through a proxy has no such header.
      'workload.spiffe.io': 'true',
    });
    const parts: Buffer[] = [];
    let bytes = 0;
    let status: unknown;
    const read = (headers: Record<string, unknown>) => (status = headers['grpc-status'] ?? status);
    stream
      .on('response', read)
      .on('trailers', read)
      .on('error', () => fail('broke off'));
    stream.setTimeout(TIMEOUT_MS, () => {
      fail('did not answer in time');
      stream.close();
    });
    stream.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > ANSWER_BYTES_MAX) stream.close();
      else parts.push(part);
    });
    stream.on('close', () => {
      const frame = Buffer.concat(parts);
      if (status !== '0') fail(`refused: gRPC status ${typeof status === 'string' ? status : 'unknown'}`);
      resolve(frame.subarray(FRAME_HEADER, FRAME_HEADER + (frame.length < FRAME_HEADER ? 0 : frame.readUInt32BE(1))));
    });
    // JWTSVIDRequest has the audience as field 1.
    const message = field(1, Buffer.from(audience));
    const header = Buffer.alloc(FRAME_HEADER);
    header.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([header, message]));
  }).finally(() => session.destroy());
}

/** gRPC puts a flag and a length before each message. */
const FRAME_HEADER = 5;

/** Returns `svid` (field 2) of the first of `svids` (field 1). */
function firstSvid(message: Buffer): string | undefined {
  const entry = valueOf(message, 1);
  return entry && valueOf(entry, 2)?.toString('utf8');
}

/** Protocol Buffers: each field here is bytes with a length, and has a tag of one byte. */
const LENGTH_DELIMITED = 2;

const field = (number: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | LENGTH_DELIMITED]), varint(value.length), value]);

/** Returns the first value of a field; undefined if there is none, or if the message is not understood. */
function valueOf(message: Buffer, number: number): Buffer | undefined {
  let at = 0;
  while (at < message.length) {
    const tag = message[at] ?? 0;
    if ((tag & 7) !== LENGTH_DELIMITED) return undefined;
    const { value: length, next } = readVarint(message, at + 1);
    if (next + length > message.length) return undefined;
    if (tag >> 3 === number) return message.subarray(next, next + length);
    at = next + length;
  }
  return undefined;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

function readVarint(message: Buffer, from: number): { value: number; next: number } {
  let value = 0;
  let next = from;
  for (let factor = 1; next < message.length; factor *= 128) {
    const byte = message[next] ?? 0;
    next += 1;
    value += (byte & 127) * factor;
    if (byte < 128) break;
  }
  return { value, next };
}
