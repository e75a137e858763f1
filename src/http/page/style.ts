/** The style sheet of the pages for approvers: readable on a telephone, in light and in dark. */
// It has none of the characters that HTML escapes, and one line: it stands in the page as it is hashed.
export const STYLE = `
:root { color-scheme: light dark; --line: #8888; --calm: #8881; --warn: #b40; --go: #05652b; --stop: #a1171f }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 46rem; padding: 0 1rem 3rem; font: 1.0625rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
header { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; align-items: center; border-bottom: 1px solid var(--line) }
header form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1.25rem 0 .75rem }
h2 { font-size: 1.15rem; margin: 1.75rem 0 .5rem }
dl { margin: 0 }
dt { font-weight: 600; margin-top: .75rem }
dd { margin: 0 }
ul { padding-left: 1.25rem }
ul.list { list-style: none; padding: 0 }
ul.list li { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: .75rem 0 }
blockquote { margin: .25rem 0; padding: .5rem .75rem; border-left: .25rem solid var(--warn); background: var(--calm) }
code { font-family: ui-monospace, monospace; font-size: .95em }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: 1.25rem 0; padding: .5rem 1rem 1rem; min-width: 0 }
legend { font-weight: 600; padding: 0 .25rem }
label { display: block; margin: .5rem 0 }
label.choice { display: flex; gap: .6rem; align-items: baseline; min-height: 2.25rem }
textarea, input[type=number] { display: block; width: 100%; font: inherit; padding: .5rem; margin-top: .25rem; border: 1px solid var(--line); border-radius: .375rem }
input[type=number] { max-width: 12rem }
input[type=checkbox] { width: 1.25rem; height: 1.25rem; flex: none }
button, a.button { display: inline-block; font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.25rem; border: 0; border-radius: .375rem; background: var(--go); color: #fff; text-decoration: none; cursor: pointer }
button.stop { background: var(--stop) }
button.quiet { background: none; color: inherit; border: 1px solid var(--line); font-weight: 400 }
.note { padding: .75rem 1rem; border: 1px solid var(--line); border-left: .25rem solid var(--warn); border-radius: .375rem }
.small { font-size: .9rem }
:focus-visible { outline: 3px solid #2a6df4; outline-offset: 2px }
.skip { position: absolute; left: -99rem }
.skip:focus { position: static }
`
  .trim()
  .replaceAll('\n', ' ');
