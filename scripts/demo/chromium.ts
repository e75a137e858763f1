/** A real Chromium, where there is one: `CHROMIUM_PATH`, or Debian's `chromium` on the PATH. Nothing is downloaded. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const { CHROMIUM_PATH = '', PATH = '' } = process.env;
const PLACES = [CHROMIUM_PATH, ...PATH.split(':').map((folder) => join(folder, 'chromium'))];

/** Its path; undefined where there is none. */
export const CHROMIUM = PLACES.find((path) => path !== '' && existsSync(path));

/**
 * Starts it with a home of its own, which is gone once it is closed: it writes files there even where its profile is elsewhere. Its
 * sandbox does not start as root, and here it shows pages of this machine alone.
 */
export async function startChromium(executablePath: string): Promise<Browser> {
  const home = mkdtempSync(join(tmpdir(), 'mayfly-chromium-'));
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', '--no-proxy-server'],
    env: { PATH, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
  });
  browser.once('disconnected', () => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  return browser;
}
