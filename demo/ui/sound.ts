import { powerOf, type Happening } from '../stage/happenings.ts';
import { need } from './dom.ts';

const KEY = 'knockout.sound';
/** Fainter hits are not heard, and no more than so many sounds begin within so many ms. */
const HIT_FROM = 1.6;
const AT_ONCE = 4;
const AT_ONCE_MS = 60;

/** What happens, heard: made of tones and noise, off until the player turns it on. */
export class Sound {
  private readonly button = need('sound', HTMLButtonElement);
  private audio: AudioContext | undefined;
  private noise: AudioBuffer | undefined;
  private started: number[] = [];

  constructor() {
    this.button.addEventListener('click', () => this.turn(!this.isOn));
    // Browsers let nothing sound before a press of some key or button.
    if (localStorage.getItem(KEY) === 'on') this.button.ariaPressed = 'true';
  }

  private get isOn(): boolean {
    return this.button.ariaPressed === 'true';
  }

  private turn(on: boolean): void {
    this.button.ariaPressed = String(on);
    localStorage.setItem(KEY, on ? 'on' : 'off');
    if (on) this.tone(520, 640, 0.09, 0.1);
  }

  play(one: Happening, mySlot: number): void {
    if (!this.isOn || document.hidden) return;
    switch (one.is) {
      case 'hit': {
        if (one.speed < HIT_FROM) return;
        const power = powerOf(one);
        this.tone(150 + 60 * (1 - power), 60, 0.12, 0.28 * power);
        this.hiss(2_400, 900, 0.05, 0.18 * power);
        return;
      }
      case 'dash':
        this.hiss(500, 2_600, 0.16, one.slot === mySlot ? 0.12 : 0.04);
        return;
      case 'fall':
        this.tone(one.slot === mySlot ? 330 : 420, 90, 0.5, 0.14);
        if (one.by === mySlot && mySlot >= 0) this.tone(660, 990, 0.16, 0.1);
    }
  }

  /** @param from, to Hz @param seconds its length @param level 0 to 1 */
  private tone(from: number, to: number, seconds: number, level: number): void {
    const out = this.open(seconds, level);
    if (!out) return;
    const { audio, gain, now } = out;
    const source = audio.createOscillator();
    source.frequency.setValueAtTime(from, now);
    source.frequency.exponentialRampToValueAtTime(to, now + seconds);
    source.connect(gain);
    source.start(now);
    source.stop(now + seconds);
  }

  /** Noise through a band that moves. Hz, s, 0 to 1. */
  private hiss(from: number, to: number, seconds: number, level: number): void {
    const out = this.open(seconds, level);
    if (!out) return;
    const { audio, gain, now } = out;
    const source = audio.createBufferSource();
    source.buffer = this.noise ??= whiteNoise(audio);
    const band = audio.createBiquadFilter();
    band.type = 'bandpass';
    band.frequency.setValueAtTime(from, now);
    band.frequency.exponentialRampToValueAtTime(to, now + seconds);
    source.connect(band).connect(gain);
    source.start(now, Math.random() * 0.5, seconds);
  }

  /** A gain that fades out, unless enough sounds already. */
  private open(
    seconds: number,
    level: number,
  ): { audio: AudioContext; gain: GainNode; now: number } | undefined {
    const at = performance.now();
    this.started = this.started.filter((start) => at - start < AT_ONCE_MS);
    if (this.started.length >= AT_ONCE) return undefined;
    this.started.push(at);
    const audio = (this.audio ??= new AudioContext());
    if (audio.state === 'suspended') void audio.resume();
    const gain = audio.createGain();
    const now = audio.currentTime;
    gain.gain.setValueAtTime(level, now);
    gain.gain.exponentialRampToValueAtTime(0.001, now + seconds);
    gain.connect(audio.destination);
    return { audio, gain, now };
  }
}

function whiteNoise(audio: AudioContext): AudioBuffer {
  const buffer = audio.createBuffer(1, audio.sampleRate, audio.sampleRate);
  const samples = buffer.getChannelData(0);
  for (let i = 0; i < samples.length; i++) samples[i] = Math.random() * 2 - 1;
  return buffer;
}
