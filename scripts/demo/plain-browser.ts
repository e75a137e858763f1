/** What a browser does without a screen: keeps cookies, follows redirects and `<meta>` refreshes, and sends the forms of a page. */

export interface Shown {
  url: string;
  status: number;
  headers: Headers;
  text: string;
}

interface Sending {
  url: string;
  form?: URLSearchParams;
  headers?: Record<string, string>;
}

const STEPS_MOST = 12;

export class PlainBrowser {
  /** By the host, as browsers keep them: ports do not count. */
  readonly cookies = new Map<string, string>();
  readonly visited: string[] = [];
  shown: Shown = { url: 'about:blank', status: 0, headers: new Headers(), text: '' };

  open = (url: string, headers?: Record<string, string>): Promise<Shown> =>
    this.#go({ url, ...(headers && { headers }) });

  /** Follows the link with this text. */
  follow(text: string): Promise<Shown> {
    const link = [...this.shown.text.matchAll(/<a [^>]*href="([^"]*)"[^>]*>([^<]*)</g)].find(
      ([, , words]) => words === text,
    );
    if (!link) throw new Error(`the page has no link "${text}": ${this.shown.text}`);
    return this.#go({ url: this.#absolute(unescaped(link[1] ?? '')) });
  }

  /** Sends the form that has these fields; each gets its text, and null leaves a field out, as an unticked box. */
  submit(fields: Readonly<Record<string, string | null>>, headers?: Record<string, string>): Promise<Shown> {
    const found = this.formWith(fields);
    const { origin } = new URL(this.shown.url);
    return this.#go({ ...found, headers: { Origin: origin, 'Sec-Fetch-Site': 'same-origin', ...headers } });
  }

  /** Returns the form that has these fields, filled in. */
  formWith(fields: Readonly<Record<string, string | null>>): { url: string; form: URLSearchParams } {
    for (const [, action = '', inside = ''] of this.shown.text.matchAll(
      /<form[^>]* action="([^"]*)"[^>]*>([^]*?)<\/form>/g,
    )) {
      const form = new URLSearchParams(inputsIn(inside));
      const fits = Object.entries(fields).every(
        ([name, value]) => form.has(name) && (name !== 'decision' || form.get(name) === value),
      );
      if (!fits) continue;
      for (const [name, value] of Object.entries(fields)) {
        if (value === null) form.delete(name);
        else form.set(name, value);
      }
      return { url: this.#absolute(unescaped(action)), form };
    }
    throw new Error(`the page has no form with ${Object.keys(fields).join(', ')}: ${this.shown.text}`);
  }

  #absolute = (address: string): string => new URL(address, this.shown.url).href;

  async #go(first: Sending): Promise<Shown> {
    let next: Sending | undefined = first;
    for (let steps = 0; next && steps < STEPS_MOST; steps += 1) next = await this.#step(next);
    if (next) throw new Error('the pages go round in circles');
    return this.shown;
  }

  /** Returns where the answer sends the browser. */
  async #step({ url, form, headers }: Sending): Promise<Sending | undefined> {
    this.visited.push(url);
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { Accept: 'text/html', Cookie: [...this.cookies].map((pair) => pair.join('=')).join('; '), ...headers },
      ...(form && { method: 'POST', body: form }),
    });
    for (const cookie of answer.headers.getSetCookie()) this.#keep(cookie);
    const text = await answer.text();
    this.shown = { url, status: answer.status, headers: answer.headers, text };
    const [, refresh] = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(text) ?? [];
    const to = answer.headers.get('location') ?? refresh;
    return to === undefined ? undefined : { url: this.#absolute(unescaped(to)) };
  }

  #keep(cookie: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    if (/; ?max-age=0(;|$)/i.test(cookie)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

function inputsIn(form: string): [string, string][] {
  const inputs = [...form.matchAll(/<(?:input|textarea)[^>]*>/g)].map(([input]) => input);
  return inputs.flatMap((input): [string, string][] => {
    const [, name] = / name="([^"]*)"/.exec(input) ?? [];
    const [, value = ''] = / value="([^"]*)"/.exec(input) ?? [];
    return name === undefined ? [] : [[name, unescaped(value)]];
  });
}

const unescaped = (text: string): string =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
