// Control calls and the stream of events, at the paths beside the page.

/** Makes a control call. Returns its answer; throws an error with the sandbox's message if it is refused. */
export async function call(method, path, body) {
  let response;
  try {
    response = await fetch(`../${path}`, { method, body: body && JSON.stringify(body), cache: 'no-store' });
  } catch {
    throw new Error('The sandbox does not answer. Start it again, and open the address that it prints.');
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

/**
 * Feeds the model with what changes in the sandbox, and reports whether the stream is open.
 *
 * A hidden page gives its connection back, of which a browser allows six; when it is shown again it gets what it missed.
 */
export function listen(model, onConnection) {
  let source;
  const open = () => {
    source = new EventSource(`../events?since=${model.revision}`);
    source.onopen = () => onConnection(true);
    source.onerror = () => onConnection(false);
    source.onmessage = (event) => model.apply(JSON.parse(event.data));
  };
  document.addEventListener('visibilitychange', () => {
    source.close();
    if (!document.hidden) open();
  });
  open();
}
