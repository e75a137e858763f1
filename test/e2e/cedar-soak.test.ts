/**
 * Node 20 dies under Cedar unless V8 is set not to inline calls into WebAssembly (src/policy/cedar/v8-guard.ts). The child makes the
 * deadly moment happen on purpose instead of waiting for it under load; the second test shows that it is deadly.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const child = fileURLToPath(new URL('../support/cedar-soak.mjs', import.meta.url));
const engine = new URL('../../dist/src/policy/cedar/cedar.js', import.meta.url);
const ROUNDS = '12';

async function soak(...more: string[]): Promise<{ code: number | null; signal: string | null; output: string }> {
  const running = spawn(process.execPath, [child, ROUNDS, ...more], { stdio: ['ignore', 'pipe', 'pipe'], env: {} });
  let output = '';
  running.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  running.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code, signal] = (await once(running, 'close')) as [number | null, string | null];
  return { code, signal, output };
}

it('a process that loads the policy engine survives what kills Node 20', async () => {
  expect({ built: existsSync(engine) }).toEqual({ built: true });
  expect(await soak(engine.href)).toEqual({ code: 0, signal: null, output: 'survived\n' });
});

it('the same process without the guard dies on V8 11: the danger is real, and this soak meets it', async () => {
  const { code, output } = await soak();
  if (process.versions.v8.startsWith('11.')) {
    expect(output).toContain('unreachable code');
    expect(code).not.toBe(0);
  } else {
    expect(output).toContain('survived');
  }
});
