// The first screen: what to run, with the values of this sandbox.

import { copyButton, el, update } from './dom.js';

/** Quotes a text for a POSIX shell. */
const quoted = (text) => (/^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function commands({ url, ca_file, dialect }) {
  const base = quoted(url);
  const options = ca_file ? `--base-url ${base} --ca-file ${quoted(ca_file)}` : `--base-url ${base}`;
  const places = ca_file ? `default: ${base} ${quoted(ca_file)}` : `default: ${base}`;
  const curl = ca_file ? `curl --cacert ${quoted(ca_file)}` : 'curl';
  const path = dialect === 'measured' ? '/v2.1/users?per_page=1' : '/v2/account';
  const library = '-Iinclude -Ltarget/release -ljustcall_auth -o verify && LD_LIBRARY_PATH=target/release ./verify';
  return [
    ['Command', `justcall-auth verify ${options}`],
    ['Python', `python3 examples/python/verify.py ${places}`],
    ['C', `cc -std=c99 examples/c/verify.c ${library} ${places}`],
    ['C++', `c++ -std=c++17 examples/cpp/verify.cpp ${library} ${places}`],
    ['Rust', `cargo run -p justcall-auth --example verify -- ${places}`],
    ['curl', `printf 'Authorization: %s:%s' "$JUSTCALL_API_KEY" "$JUSTCALL_API_SECRET" | ${curl} -H @- ${quoted(url + path)}`],
  ];
}

/** Shows the commands. `pair` is the pair whose secret the page knows; without it the shell must have the secret already. */
export function showStart(place, sandbox, pair) {
  update(place, [sandbox.url, pair], () => {
    const values = pair
      ? `export JUSTCALL_API_KEY=${quoted(pair.api_key)} JUSTCALL_API_SECRET=${quoted(pair.api_secret)}`
      : '# The secret was shown once. Reset the pair below to get a new one, with this line filled in.';
    const rows = [['Pair', values], ...commands(sandbox)];
    return rows.map(([name, text]) =>
      el('div', { class: 'command' }, el('span', {}, name), el('pre', {}, el('code', {}, text)), copyButton(`the line for ${name}`, text)),
    );
  });
}
