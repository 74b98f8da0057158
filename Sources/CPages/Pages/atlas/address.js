// What the page shows is its address: every state is a link.

const usual = {
  q: '', hook: '', kind: '', lift: '', sort: 'selectivity', order: 'down', feature: '', with: '', recording: '', side: '+', sound: 'out',
};

export const state = { ...usual };
const listeners = [];

/** Called with the names of what has changed. */
export function onChange(listener) { listeners.push(listener); }

/** The address of the present state with some of it changed. */
export function link(changes) {
  const next = { ...state, ...changes }, parameters = new URLSearchParams();
  for (const key of Object.keys(usual)) if (next[key] !== usual[key]) parameters.set(key, next[key]);
  return '#' + parameters;
}

function read() {
  const parameters = new URLSearchParams(location.hash.slice(1)), changed = [];
  for (const key of Object.keys(usual)) {
    const value = parameters.get(key) ?? usual[key];
    if (value !== state[key]) changed.push(key);
    state[key] = value;
  }
  return changed;
}

function tell(changed) { if (changed.length) for (const listener of listeners) listener(changed); }

/** Goes to another state. Where `quietly`, as while someone types, the one before is not kept to go back to. */
export function go(changes, quietly = false) {
  const address = link(changes);
  if (address === (location.hash || '#')) return;
  history[quietly ? 'replaceState' : 'pushState'](null, '', address);
  tell(read());
}

export function begin() {
  addEventListener('popstate', () => tell(read()));
  // An address that was typed, and the first.
  addEventListener('hashchange', () => tell(read()));
  read();
  for (const listener of listeners) listener(Object.keys(usual));
}
