/** Style and script of the operations page: served as files of their own, so that no inline code is allowed. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #fff; --ink: #1c2430; --soft: #5b6675; --line: #dfe3e9;
  --accent: #1f6feb; --warn: #b42318; --bar: #cfe0fb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --card: #1b2129; --ink: #e7ebf0; --soft: #9aa6b5; --line: #2c3540;
    --accent: #6ea8fe; --warn: #ff8a80; --bar: #24446f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
}
header, main { max-width: 70rem; margin: 0 auto; padding: 0 1rem; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.25rem; padding-top: 1.25rem; }
h1 { font-size: 1.35rem; margin: 0 auto 0 0; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
a { color: var(--accent); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
nav a { padding: .5rem 0; }
label { display: inline-flex; align-items: center; gap: .5rem; padding: .5rem 0; }
input[type='checkbox'] { width: 1.15rem; height: 1.15rem; accent-color: var(--accent); margin: 0; }
button {
  font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; padding: .5rem 1rem; cursor: pointer;
}
button:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
p { margin: .5rem 0; }
#failed { flex-basis: 100%; margin: 0; }
.soft { color: var(--soft); }
.warn { color: var(--warn); font-weight: 600; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1rem 0 0; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .75rem 1rem; }
.figures dt { color: var(--soft); font-size: .9rem; }
.figures dd { margin: 0; font-size: 1.6rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.table { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .55rem 1rem; white-space: nowrap; }
th { color: var(--soft); font-weight: 500; font-size: .9rem; }
tr + tr td, tbody tr:first-child td { border-top: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
code { font: .95em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: nowrap; }
.reason { display: block; white-space: normal; color: var(--soft); font-size: .9rem; }
meter { width: 7rem; vertical-align: middle; }
main { padding-bottom: 3rem; }
@media (max-width: 40rem) {
  h1 { width: 100%; }
  th, td { padding: .5rem; white-space: normal; }
  td:first-child, th:first-child { padding-left: .75rem; }
  td:last-child, th:last-child { padding-right: .75rem; }
  .figures { grid-template-columns: repeat(2, 1fr); }
  meter { display: none; }
}
`;

/** Reads the page again on demand, or every 5 s while it is ticked and visible: a hidden page asks nothing. */
export const SCRIPT = `
const EVERY_MS = 5000;
const repeat = document.querySelector('#repeat');
const button = document.querySelector('#refresh');
const failed = document.querySelector('#failed');
let timer;
let reading = false;

async function read() {
  if (reading) return;
  reading = true;
  button.disabled = true;
  try {
    const response = await fetch(location.pathname, { cache: 'no-store' });
    if (!response.ok) throw new Error('status ' + response.status);
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    document.querySelector('main').replaceWith(document.adoptNode(page.querySelector('main')));
    failed.textContent = '';
  } catch {
    failed.textContent = 'The gateway does not answer. These figures are old.';
  } finally {
    reading = false;
    button.disabled = false;
  }
}

function plan() {
  clearInterval(timer);
  if (repeat.checked && !document.hidden) timer = setInterval(read, EVERY_MS);
}

button.addEventListener('click', (event) => { event.preventDefault(); void read(); });
repeat.addEventListener('change', plan);
document.addEventListener('visibilitychange', () => {
  if (repeat.checked && !document.hidden) void read();
  plan();
});
plan();
`;
