// What the server tells, and what it is told.

/** Listens to all that happens; `take` gets each event, `state` whether the server is there. */
export function follow(take, state) {
  const events = new EventSource('api/events');
  events.onmessage = message => take(JSON.parse(message.data));
  events.onopen = () => state(true);
  // The browser tries again by itself.
  events.onerror = () => state(false);
}

export async function about() {
  const answer = await fetch('api/about');
  if (!answer.ok) throw new Error(await reason(answer));
  return answer.json();
}

/** Says something; what went wrong is thrown in the server's words. */
export async function tell(what, parameters = {}, body = null) {
  // A space as %20: a plus sign for one is a custom of forms, which the server does not share.
  const query = String(new URLSearchParams(parameters)).replaceAll('+', '%20');
  const answer = await fetch(`api/${what}${query ? '?' + query : ''}`, { method: 'POST', body });
  if (!answer.ok) throw new Error(await reason(answer));
}

async function reason(answer) {
  const text = await answer.text();
  try { return JSON.parse(text).error; } catch { return text || `the server said ${answer.status}`; }
}
