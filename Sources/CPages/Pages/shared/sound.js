// The samples of sounds.

/** The bytes of base64. */
export function bytesOf(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** What a browser can decode, as mono samples at a rate: WAV, FLAC. */
export async function decode(buffer, rate) {
  // The decoder takes the buffer away, and the file may be wanted again.
  const sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(buffer.slice(0));
  return sound.getChannelData(0);
}

/** The samples of a mono WAV file of 16 bits, at once. */
export function samplesOfWav(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + 44);
  return Float32Array.from({ length: view.byteLength >> 1 }, (_, i) => view.getInt16(i * 2, true) / 32768);
}

/** A mono WAV file of 16 bits, to be played or kept. */
export function wav(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const text = (at, letters) => [...letters].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, 'RIFF'); view.setUint32(4, 36 + samples.length * 2, true); text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, 'data'); view.setUint32(40, samples.length * 2, true);
  for (let i = 0; i < samples.length; i++) {
    view.setInt16(44 + i * 2, Math.round(Math.min(Math.max(samples[i], -1), 1) * 32767), true);
  }
  return new Blob([view.buffer], { type: 'audio/wav' });
}
