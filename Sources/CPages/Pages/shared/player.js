// One sound at a time, whoever plays it: a button, or a player with controls of its own.

let playing = null;

/** What is heard now; null in silence. */
export const now = () => playing?.listener ?? null;

/** Ends what is heard. */
export function stop() {
  const was = playing;
  playing = null;
  if (!was) return;
  was.audio.pause();
  was.listener.ended();
}

/** To a place in what plays, in seconds. */
export function seek(seconds) {
  if (playing && Number.isFinite(playing.audio.duration)) playing.audio.currentTime = seconds;
}

/**
 * Plays a sound from its beginning, in place of what plays.
 * source: an address. listener: {begun(), at(seconds), ended()}.
 * Throws where the browser cannot play it; not where another was asked for meanwhile.
 */
export async function play(source, listener) {
  const audio = new Audio(source), mine = begin(audio, listener);
  audio.addEventListener('ended', () => { if (playing === mine) stop(); });
  try {
    await audio.play();
  } catch (error) {
    if (playing === mine) stop();
    if (error.name === 'AbortError') return;
    throw error;
  }
  if (playing !== mine) return;
  listener.begun();
  follow(mine);
}

/** Tells a listener of an element with controls, and makes it fall silent where another sound begins. */
export function watch(audio, listener) {
  audio.addEventListener('play', () => {
    const mine = playing?.audio === audio ? playing : begin(audio, listener);
    listener.begun();
    follow(mine);
  });
  audio.addEventListener('pause', () => { if (playing?.audio === audio) stop(); });
  audio.addEventListener('seeked', () => listener.at(audio.currentTime));
}

function begin(audio, listener) {
  stop();
  return playing = { audio, listener };
}

function follow(mine) {
  if (playing !== mine || mine.audio.paused) return;
  mine.listener.at(mine.audio.currentTime);
  requestAnimationFrame(() => follow(mine));
}
