// This browser's own microphone: 16 kHz mono, sent in pieces, one after the other.

import { tell } from './source.js';

const rate = 16000;
/** Samples that wait to be sent; what is more is given up, and said to be lost. */
const mostWaiting = 5 * rate;

export class Microphone {
  /** Asks for it: throws where there is none, or it is not given. What it hears waits for `send`. `failed` gets what goes wrong later. */
  async open(failed) {
    if (!navigator.mediaDevices) throw new Error('this browser gives pages at this address no microphone');
    this.stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false }
    });
    this.context = new AudioContext({ sampleRate: rate });
    await this.context.audioWorklet.addModule('recorder.js');
    Object.assign(this, { waiting: [], count: 0, lost: 0, isTaken: false, isSending: false, failed });
    const recorder = new AudioWorkletNode(this.context, 'recorder', { numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit' });
    recorder.port.onmessage = ({ data }) => this.take(data);
    this.context.createMediaStreamSource(this.stream).connect(recorder);
    for (const track of this.stream.getTracks()) track.addEventListener('ended', () => failed(new Error('the microphone is gone')));
  }

  take(samples) {
    const ended = Date.now();
    if (this.count + samples.length > mostWaiting) {
      this.lost += samples.length;
      return;
    }
    this.waiting.push({ samples, captured: ended - samples.length / rate * 1000, lost: this.lost });
    this.lost = 0;
    this.count += samples.length;
    if (this.isTaken) this.send();
  }

  /** Sends what was heard, and from now on what is heard, to the session that has begun. */
  async send() {
    this.isTaken = true;
    if (this.isSending) return;
    this.isSending = true;
    try {
      while (this.stream && this.waiting.length) {
        const { samples, captured, lost } = this.waiting.shift();
        this.count -= samples.length;
        await tell('sound', { captured: captured.toFixed(3), lost }, Int16Array.from(samples, v => Math.max(-1, Math.min(1, v)) * 32767));
      }
    } catch (error) {
      if (this.stream) this.failed(error);
    }
    this.isSending = false;
  }

  close() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.context?.close();
    this.stream = null;
  }
}
