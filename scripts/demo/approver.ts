/** A person who approves on the page: in a real Chromium where there is one, else by the same forms over plain HTTP. */
import { CHROMIUM, startChromium } from './chromium.js';
import { PlainBrowser } from './plain-browser.js';
import { expectThat } from './unexpected.js';

interface Approver {
  login: string;
  /** What she gives. */
  seconds: number;
}

/** The first box, which she unticks, is the read. */
const FIRST = '0';

/** Returns in what she did it, in words. */
export async function approveOnPage(address: string, approver: Approver): Promise<string> {
  if (CHROMIUM === undefined) {
    await byHttp(address, approver);
    return 'by its forms over plain HTTP, because no Chromium is here';
  }
  await inChromium(CHROMIUM, address, approver);
  return 'in Chromium';
}

async function inChromium(executable: string, address: string, { login, seconds }: Approver): Promise<void> {
  const browser = await startChromium(executable);
  try {
    const page = await browser.newPage();
    await page.goto(address);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.fill('input[name=login]', login);
    await page.fill('input[name=password]', 'x');
    await page.click('button');
    await page.click('button');
    await page.locator(`input[name=keep][value="${FIRST}"]`).uncheck();
    await page.fill('input[name=seconds]', String(seconds));
    await page.getByRole('button', { name: 'Agree to what is ticked' }).click();
    await page.getByText('It is approved.').waitFor();
  } finally {
    await browser.close();
  }
}

async function byHttp(address: string, { login, seconds }: Approver): Promise<void> {
  const browser = new PlainBrowser();
  await browser.open(address);
  await browser.follow('Sign in');
  await browser.submit({ login, password: 'x' });
  await browser.submit({ prompt: 'consent' });
  const shown = await browser.submit({ decision: 'approve', keep: '1', seconds: String(seconds) });
  expectThat(shown.text.includes('It is approved.'), 'a page that says it is approved', shown.text.slice(-500));
}
