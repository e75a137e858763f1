/** The frame of every page for approvers: no script, no image, nothing from elsewhere; one style sheet, inside the page. */
import { sha256Bytes } from '../../domain/digest.js';
import type { Answer } from '../wire/endpoint.js';
import { html, type Html } from './html.js';
import { STYLE } from './style.js';

interface Page {
  status?: number;
  title: string;
  body: Html;
  /** Who is signed in: shown on every page, so that nobody answers in another's name by mistake. */
  person?: { id: string; formToken: string };
  /** The browser goes on to this path of ours by itself. */
  goesOnTo?: string;
  headers?: Readonly<Record<string, string>>;
}

/** The policy of the page allows this one style sheet, by its hash. */
const CSS_HASH = sha256Bytes(STYLE).toString('base64');

// A space more, and the hash is that of another.
// prettier-ignore
const SHEET = html`<style>${STYLE}</style>`;

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': [
    "default-src 'none'",
    `style-src 'sha256-${CSS_HASH}'`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join(';'),
  'Cross-Origin-Opener-Policy': 'same-origin',
  // Nothing is told to other sites. With `no-referrer`, browsers would also hide from us where a form comes from.
  'Referrer-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  Vary: 'Accept, Cookie',
};

export function pageOf({ status = 200, title, body, person, goesOnTo, headers }: Page): Answer {
  const text = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="color-scheme" content="light dark" />
        ${goesOnTo === undefined ? undefined : html`<meta http-equiv="refresh" content="0;url=${goesOnTo}" />`}
        <title>${title} · Mayfly</title>
        ${SHEET}
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <header>
          <p><a href="/approvals">Mayfly approvals</a></p>
          ${person && signedIn(person)}
        </header>
        <main id="main">
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `;
  return { status, headers: { ...HEADERS, ...headers }, body: String(text) };
}

const signedIn = ({ id, formToken }: NonNullable<Page['person']>): Html =>
  html` <form method="post" action="/approvals/sign-out">
    <p>Signed in as <strong>${id}</strong></p>
    <input type="hidden" name="form" value="${formToken}" />
    <button class="quiet">Sign out</button>
  </form>`;
