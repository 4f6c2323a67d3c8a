import { TICK_RATE } from '../../workers/games/knockout/rules.ts';
import { takesKey } from '../input/keyboard.ts';
import { clockOf } from '../names.ts';
import { type Replay, SPEEDS } from '../source/replay.ts';
import { make, need, setText } from './dom.ts';
import { emblem } from './emblem.ts';

/** Play, pause, seek and speed of a replay. */
export class Transport {
  private readonly play = need('play', HTMLButtonElement);
  private readonly seek = need('seek', HTMLInputElement);
  private readonly time = need('seek-time', HTMLOutputElement);
  private readonly marks = need('marks', HTMLDivElement);
  private readonly verified = need('verified', HTMLParagraphElement);
  private readonly speeds: HTMLInputElement[];
  private replay: Replay | undefined;

  constructor() {
    this.play.addEventListener('click', () => this.toggle());
    this.seek.addEventListener('input', () => this.replay?.seek(Number(this.seek.value)));
    this.speeds = SPEEDS.map((speed) => {
      const input = make('input');
      input.type = 'radio';
      input.name = 'speed';
      input.value = String(speed);
      input.addEventListener('change', () => {
        if (this.replay) this.replay.speed = speed;
      });
      return input;
    });
    need('speeds', HTMLDivElement).append(
      ...this.speeds.map((input) => make('label', '', input, `${input.value}×`)),
    );
    addEventListener('keydown', (event) => {
      if (!this.replay || event.code !== 'Space' || takesKey(event.target, true)) return;
      event.preventDefault();
      this.toggle();
    });
  }

  show(replay: Replay | undefined): void {
    this.replay = replay;
    if (!replay) return;
    const { falls, verified } = replay.timeline;
    this.seek.max = String(replay.ticks);
    for (const input of this.speeds) input.checked = Number(input.value) === replay.speed;
    this.marks.replaceChildren(
      ...falls.map(({ tick, slot }) => {
        const mark = emblem(slot);
        mark.style.left = `${(100 * tick) / replay.ticks}%`;
        return mark;
      }),
    );
    setText(this.verified, verdict(replay));
    this.verified.className = `verified ${verified === undefined ? '' : verified ? 'yes' : 'no'}`;
    this.update();
  }

  /** Once per picture. */
  update(): void {
    const { replay } = this;
    if (!replay) return;
    const tick = Math.floor(replay.position);
    const text = `${clockOf(tick, TICK_RATE)} / ${clockOf(replay.ticks, TICK_RATE)}`;
    if (this.seek.value !== String(tick)) {
      this.seek.value = String(tick);
      this.seek.style.setProperty('--at', String((100 * tick) / replay.ticks));
    }
    if (this.time.textContent !== text) {
      this.time.textContent = text;
      this.seek.setAttribute('aria-valuetext', text);
    }
    if (this.play.classList.contains('playing') === replay.playing) return;
    this.play.classList.toggle('playing', replay.playing);
    this.play.ariaLabel = replay.playing ? 'Pause' : 'Play';
  }

  private toggle(): void {
    const { replay } = this;
    if (replay?.playing === true) replay.pause();
    else replay?.play();
    this.update();
  }
}

function verdict({ timeline: { verified }, isFromArena }: Replay): string {
  if (verified === undefined) return '';
  if (!verified) {
    return 'Simulated again in this browser, it came out differently: these inputs are not what was played';
  }
  return isFromArena
    ? "Verified: the file's chain of hashes holds, and simulated again in this browser it arrives at the arena's very last state"
    : 'Simulated again in this browser, and arrived at the very same state';
}
