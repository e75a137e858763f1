/** A real Chromium, where there is one: `CHROMIUM_PATH`, or Debian's `chromium` on the PATH. Nothing is downloaded. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const { CHROMIUM_PATH = '', PATH = '' } = process.env;
const PLACES = [CHROMIUM_PATH, ...PATH.split(':').map((folder) => join(folder, 'chromium'))];

/** Its path; undefined where there is none. */
export const CHROMIUM = PLACES.find((path) => path !== '' && existsSync(path));

/** Starts it. Its sandbox does not start as root, and here it shows pages of this machine alone. */
export const startChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', '--no-proxy-server'],
  });
