/** The demo as a person runs it, and that it cannot claim what did not happen. `npm test` builds it first. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { findPython } from '../../scripts/python.mjs';
import { createTranscript } from '../../scripts/demo/transcript.js';
import { expectThat } from '../../scripts/demo/unexpected.js';
import { temporaryDirectory } from '../support/directory.js';

const SECRET_KEY = 'tUSbQ/cUMzsr+0QtVCDYcA/8QrWq6bGDePn3JeSO';
const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZ2VudC03In0.c2lnbmF0dXJlLW9mLWEtdG9rZW4';

/** Leads a process group, so that whatever it leaves running can be found, and ended. */
let group: number | undefined;
afterEach(() => {
  if (group !== undefined && isRunning(group)) process.kill(-group, 'SIGKILL');
});

const python = findPython([]);
const STEPS = python === undefined ? 67 : 70;

describe('npm run demo', () => {
  it('plays the whole story, ends with 0, prints no token, and leaves neither process nor file behind', async () => {
    const temporary = temporaryDirectory();
    const { PATH = '' } = process.env;
    const demo = spawn(process.execPath, ['dist/scripts/demo/main.js'], {
      detached: true,
      env: { PATH, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    group = demo.pid;
    let told = '';
    demo.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
    const [code] = (await once(demo, 'close')) as [number | null];

    // Compared together, so that a failure shows the transcript.
    expect({ code, told }).toEqual({ code: 0, told: expect.stringContaining(`All ${STEPS} steps did what they say`) });
    expect(told).toMatch(/incident 4711 is closed, for lab:mcp-agent[^]*it gets no other .*\n +A hold is in force/);
    expect(told).toMatch(python === undefined ? /python-agent are left out/ : /TaskEnded: the task tsk_\w+ has ended/);
    expect(told).toMatch(
      /researcher acts, before it assistant, for ada[^]*tsk_\w+ +open[^]*all below is dead[^]*tsk_\w+ +cancelled/,
    );
    expect(told).toMatch(/ann of sre-oncall signs in .*\n +on the page at \/approvals, (in Chromium|by its forms)/);
    expect(told).toContain('one write, 1,000 credentials dead');
    expect(told).toMatch(/risk-level-change HIGH from edr .* reacted by risk-is-high \(hold of workload lab:agent-7/);
    expect(told).toMatch(/pending, by rule stolen-secret: .*\n +nothing of deployer has died/);
    expect(told).toContain('This demo uses no AWS account: STS, IAM and S3 are played by a loopback server.');
    expect(told).toMatch(/the same keys, a moment later: refused by AWS .*\n +403 AccessDenied, although/);
    expect(told).toMatch(/"Effect":"Deny".*aws:PrincipalTag\/jt":\["[a-z2-7]{16}"\]/);
    for (const way of [
      'introspection',
      'evaluation \\(AuthZEN\\)',
      'forward-auth',
      'verifier by the feed',
      'mayfly proxy',
    ])
      expect(told).toMatch(new RegExp(`^ +${way}.* \\d+ ms$`, 'm'));
    expect(told).not.toMatch(/eyJ[\w-]+\.[\w-]+\.[\w-]+/);
    // Secret access keys have forty characters of base64, session tokens more.
    expect(told).not.toMatch(/SecretAccessKey|SessionToken|[A-Za-z0-9+/]{40,}/);
    expect(told).not.toContain('\u001b');
    expect(readdirSync(temporary)).toEqual([]);
    expect(isRunning(group ?? 0)).toBe(false);
  });
});

describe('a transcript', () => {
  it('ends at a step that does not do what it says, and prints what was expected and what came', async () => {
    const { tell, told } = onPaper();
    const failing = tell.step('the dead stay dead', () => {
      expectThat(false, '0 alive', 1);
      return Promise.resolve(undefined);
    });
    await expect(failing).rejects.toThrow('expected 0 alive, came 1');
    expect(told()).toMatch(/✗ the dead stay dead\n +expected {2}0 alive\n +came {6}1\n/);
    expect(tell.steps).toBe(0);
  });

  it('never shows a whole token, not even in what came instead', async () => {
    const { tell, told } = onPaper();
    await tell.step(`with ${TOKEN}`, () => Promise.resolve([TOKEN, `{"access_token":"${TOKEN}"}`]));
    await tell.step('keys', () => Promise.resolve(`{\\"SecretAccessKey\\":\\"${SECRET_KEY}\\"}`));
    await tell.step('fails', () => Promise.reject(new Error(`HTTP 200 ${TOKEN}`))).catch(() => undefined);
    expect(told()).toContain('eyJhbGci…');
    expect(told()).not.toContain(TOKEN.slice(0, 20));
    expect(told()).not.toContain(SECRET_KEY.slice(0, 20));
  });
});

function onPaper() {
  let told = '';
  const tell = createTranscript({ write: (text) => void (told += text), colours: false });
  return { tell, told: () => told };
}

function isRunning(leader: number): boolean {
  try {
    process.kill(-leader, 0);
    return true;
  } catch {
    return false;
  }
}
