/** A browser without a screen: follows redirects, keeps cookies, and submits the forms that it is shown. */
import { setTimeout as pause } from 'node:timers/promises';

const PAGES_MOST = 12;

/** Opens an address and submits each form, with these texts in the fields of these names. Returns the last page, which has none. */
export async function browse(address: string, fields: Readonly<Record<string, string>>): Promise<string> {
  const cookies = new Map<string, string>();
  let request: { url: string; body?: URLSearchParams } = { url: address };
  for (let pages = 0; pages < PAGES_MOST; pages += 1) {
    const { url, body } = request;
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(body && { method: 'POST', body }),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    const page = await answer.text();
    const next = location === null ? formOf(page, fields) : { url: location };
    if (!next) return page;
    request = { ...next, url: new URL(next.url, url).href };
    await pause(0);
  }
  throw new Error('the pages go round in circles');
}

function formOf(page: string, fields: Readonly<Record<string, string>>) {
  const [, action = ''] = /<form[^>]* action="([^"]*)"/.exec(page) ?? [];
  if (action === '') return undefined;
  const body = new URLSearchParams();
  for (const [input] of page.matchAll(/<input[^>]*>/g)) {
    const [, name = ''] = / name="([^"]*)"/.exec(input) ?? [];
    const [, value = ''] = / value="([^"]*)"/.exec(input) ?? [];
    body.set(name, fields[name] ?? value);
  }
  return { url: action, body };
}
