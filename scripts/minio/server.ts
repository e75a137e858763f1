/**
 * The MinIO server: one of our own on the loopback interface where the program is on PATH, or the one at MINIO_URL. It trusts
 * one OpenID provider, so it has one role, whose ARN it prints when it starts.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../free-port.js';

export interface Minio {
  /** The port at which it expects the discovery document of its provider; absent: any port. */
  issuerPort?: number;
  start(issuer: string, audience: string): Promise<Started>;
  end(): Promise<void>;
}

export interface Started {
  url: string;
  role: string;
  /** The keys of its administrator. */
  root: { accessKeyId: string; secretAccessKey: string };
}

const ROLE = /arn:minio:iam:::role\/[\w-]+/;
const STARTS_WITHIN_MS = 30_000;

/**
 * A server that runs already is described by MINIO_URL, MINIO_ROLE_ARN, MINIO_ROOT_USER, MINIO_ROOT_PASSWORD and
 * MINIO_ISSUER_PORT: its provider's discovery document must be expected at that port of 127.0.0.1, for the client id
 * sts.amazonaws.com, with the policy `readwrite`.
 */
export function findMinio(): Minio | undefined {
  const { MINIO_URL: url } = process.env;
  if (url) return running(url);
  return spawnSync('minio', ['--version'], { stdio: 'ignore' }).status === 0 ? ownServer() : undefined;
}

const running = (url: string): Minio => ({
  issuerPort: Number(demanded('MINIO_ISSUER_PORT')),
  start: () =>
    Promise.resolve({
      url,
      role: demanded('MINIO_ROLE_ARN'),
      root: { accessKeyId: demanded('MINIO_ROOT_USER'), secretAccessKey: demanded('MINIO_ROOT_PASSWORD') },
    }),
  end: () => Promise.resolve(),
});

function ownServer(): Minio {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-minio-'));
  const root = { accessKeyId: 'mayfly-test', secretAccessKey: 'on-loopback-for-a-minute' };
  let child: ChildProcess | undefined;
  return {
    async start(issuer, audience) {
      const address = `127.0.0.1:${await freePort()}`;
      child = spawn('minio', ['server', '--address', address, directory], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env['PATH'],
          HOME: directory,
          MINIO_ROOT_USER: root.accessKeyId,
          MINIO_ROOT_PASSWORD: root.secretAccessKey,
          MINIO_IDENTITY_OPENID_CONFIG_URL: `${issuer}/.well-known/openid-configuration`,
          MINIO_IDENTITY_OPENID_CLIENT_ID: audience,
          MINIO_IDENTITY_OPENID_ROLE_POLICY: 'readwrite',
        },
      });
      return { url: `http://${address}`, role: await roleOf(child), root };
    },
    async end() {
      if (child?.exitCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function roleOf(child: ChildProcess): Promise<string> {
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-8_000)));
  const until = performance.now() + STARTS_WITHIN_MS;
  while (performance.now() < until && child.exitCode === null) {
    const role = ROLE.exec(said)?.[0];
    if (role !== undefined) return role;
    await pause(200);
  }
  throw new Error(`MinIO named no role; it said:\n${said}`);
}

function demanded(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`With MINIO_URL, ${name} must be set too.`);
  return value;
}
