import { TICK_RATE } from '../../workers/games/knockout/rules.ts';
import type { KnockoutView } from '../../workers/games/knockout/view.ts';
import { clockOf, ordinal } from '../names.ts';
import type { MatchSource } from '../source/source.ts';
import { countStanding, isStanding } from '../standing.ts';
import { make, need, setText } from './dom.ts';

/** "Go" and the like stay so long, ticks. */
const SAID_TICKS = 24;
/** The hint about keys goes after this, ticks. */
const HINT_TICKS = 150;

/** Clock, count, countdown and the dash button: what lies over the stage and changes with it. */
export class Hud {
  private readonly clock = need('clock', HTMLElement);
  private readonly left = need('left', HTMLSpanElement);
  private readonly shout = need('shout', HTMLParagraphElement);
  private readonly hint = need('hint', HTMLParagraphElement);
  private readonly dash = need('dash', HTMLButtonElement);
  private readonly fallen = need('fallen', HTMLDivElement);
  private readonly fallenPlace = need('fallen-place', HTMLElement);
  private readonly fallenRest = need('fallen-rest', HTMLSpanElement);
  private readonly skip = need('skip', HTMLButtonElement);
  private readonly notice = need('notice', HTMLParagraphElement);
  private said = '';
  private ready = '';

  update(source: MatchSource, view: KnockoutView, place: number | undefined): void {
    const { options, mySlot, phase, kind } = source;
    const standing = countStanding(view);
    const steers = mySlot >= 0 && kind !== 'replay';
    const watching = kind === 'live' && mySlot < 0 ? ', you watch' : '';
    setText(this.clock, clockOf(options.endTicks - view.tick + TICK_RATE - 1, TICK_RATE));
    setText(this.left, `${standing === 1 ? '1 stands' : `${standing} stand`}${watching}`);
    const isOut = steers && phase === 'playing' && !isStanding(view, mySlot);
    this.say(source, view, isOut);
    this.hint.classList.toggle(
      'on',
      steers && !isOut && view.tick < options.readyTicks + HINT_TICKS,
    );
    this.fallen.hidden = !isOut;
    if (isOut) setText(this.fallenPlace, place === undefined ? 'out' : ordinal(place));
    this.skip.hidden = kind !== 'practice';
    setText(this.fallenRest, kind === 'practice' ? 'Watch the rest, or' : 'Watch the rest.');
    this.showDash(source, view);
  }

  /** Once per picture, and where there is none yet. */
  tell({ notice }: MatchSource): void {
    setText(this.notice, notice);
  }

  hide(): void {
    setText(this.notice, '');
    this.fallen.hidden = true;
    this.hint.classList.remove('on');
    this.shoutOut('', false);
  }

  private say(
    { startsIn, kind, phase, options }: MatchSource,
    { tick }: KnockoutView,
    isOut: boolean,
  ): void {
    if (kind === 'replay' || phase === 'over') return this.shoutOut('', false);
    if (startsIn > 0) return this.shoutOut(String(startsIn), false);
    if (phase === 'waiting') return this.shoutOut('', false);
    if (tick > options.readyTicks && tick < options.readyTicks + SAID_TICKS)
      return this.shoutOut('Go', false);
    // Whoever is out is told so in the same place.
    const shrinks =
      !isOut && tick >= options.holdTicks - SAID_TICKS && tick < options.holdTicks + 2 * SAID_TICKS;
    this.shoutOut(shrinks ? 'The platform shrinks' : '', true);
  }

  private shoutOut(text: string, small: boolean): void {
    if (text === this.said) return;
    this.said = text;
    this.shout.classList.toggle('small', small);
    // A new element: its animation begins anew.
    this.shout.replaceChildren(make('span', '', text));
  }

  private showDash({ mySlot, options }: MatchSource, { discs }: KnockoutView): void {
    const dashIn = discs[mySlot]?.dashIn ?? 0;
    // In steps, so that most pictures write nothing; down, so that only a full one says 1.
    const ready = (
      Math.floor((20 * (options.dashCooldownTicks - dashIn)) / options.dashCooldownTicks) / 20
    ).toFixed(2);
    if (ready === this.ready) return;
    this.ready = ready;
    this.dash.style.setProperty('--ready', ready);
    this.dash.classList.toggle('ready', dashIn === 0);
  }
}
