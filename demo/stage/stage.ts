import { radiusAt } from '../../workers/games/knockout/rules.ts';
import type { MatchSource, Sample } from '../source/source.ts';
import { aim, approach, type Camera, type Room } from './camera.ts';
import { drawAim, drawDisc, drawName, drawOwn, drawShadow, STANDING } from './draw-discs.ts';
import { drawFalling, drawFlashes, drawFloating, drawSparks, drawTrails } from './draw-effects.ts';
import { drawPlatform, type Edge } from './draw-platform.ts';
import type { Frame } from './frame.ts';
import type { Happening } from './happenings.ts';
import { DARK, LIGHT, type Palette } from './palette.ts';
import { Scene } from './scene.ts';

/** What goes within this time is marked, ticks. */
const WARNED_TICKS = 150;
/** More pixels than this per CSS pixel cannot be told apart in motion, and cost. */
const DENSITY_MAX = 2.5;

export interface StageView {
  readonly room: Pick<Room, 'top' | 'bottom'>;
  /** Names over the discs. */
  readonly names: boolean;
  /** Where this page's player steers, each part -1 to 1; absent: nowhere. */
  readonly aim?: { readonly x: number; readonly y: number } | undefined;
}

/** The canvas: draws whatever source it is given, once per call of `draw`. */
export class Stage {
  private readonly pen: CanvasRenderingContext2D;
  private readonly scene: Scene;
  private palette: Palette = DARK;
  private width = 0;
  private height = 0;
  private density = 1;
  private camera: Camera | undefined;
  private lookedAt: MatchSource | undefined;
  private before = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {
    const pen = canvas.getContext('2d');
    if (!pen) throw new Error('this browser draws no canvas');
    this.pen = pen;
    const less = matchMedia('(prefers-reduced-motion: reduce)');
    const dark = matchMedia('(prefers-color-scheme: dark)');
    this.scene = new Scene(less.matches);
    const dress = (): void => {
      this.scene.calm = less.matches;
      this.palette = dark.matches ? DARK : LIGHT;
    };
    dress();
    less.addEventListener('change', dress);
    dark.addEventListener('change', dress);
    new ResizeObserver(() => this.measure()).observe(canvas);
    this.measure();
  }

  get calm(): boolean {
    return this.scene.calm;
  }

  /** Shows nothing. */
  clear(): void {
    this.lookedAt = undefined;
    this.wipe();
  }

  /** @returns what happened since the last picture of this source */
  draw(
    source: MatchSource,
    sample: Sample | undefined,
    view: StageView,
    now: number,
  ): readonly Happening[] {
    const elapsed = Math.min(100, now - this.before);
    this.before = now;
    if (source !== this.lookedAt) this.lookAt(source);
    this.wipe();
    if (!sample) return [];
    const { options } = source;
    this.scene.shrinking =
      radiusAt(sample.to.tick, options) - radiusAt(sample.to.tick + 1, options);
    const happened = this.scene.update(sample, now);
    const { frame } = this.scene;
    if (!frame) return happened;
    this.follow(frame, source, view, elapsed);
    this.paint(frame, source, view, now);
    return happened;
  }

  private wipe(): void {
    this.pen.setTransform(this.density, 0, 0, this.density, 0, 0);
    this.pen.clearRect(0, 0, this.width, this.height);
  }

  private lookAt(source: MatchSource): void {
    this.lookedAt = source;
    this.scene.clear();
    this.camera = undefined;
  }

  private measure(): void {
    const { clientWidth, clientHeight } = this.canvas;
    this.density = Math.min(DENSITY_MAX, devicePixelRatio);
    this.width = clientWidth;
    this.height = clientHeight;
    this.canvas.width = Math.round(clientWidth * this.density);
    this.canvas.height = Math.round(clientHeight * this.density);
    // Of another size the picture would glide to its new place.
    this.camera = undefined;
  }

  private follow(frame: Frame, source: MatchSource, view: StageView, elapsed: number): void {
    const own = frame.discs[source.mySlot];
    const focus = own?.standing === true ? own : undefined;
    const room = { width: this.width, height: this.height, ...view.room };
    const target = aim(room, frame.radius, source.options.startRadius, focus);
    const share = this.scene.calm ? 1 : 1 - Math.exp(-elapsed / 180);
    this.camera = this.camera ? approach(this.camera, target, share) : target;
  }

  private paint(frame: Frame, source: MatchSource, view: StageView, now: number): void {
    const { pen, scene, palette, camera } = this;
    if (!camera) return;
    const { shake } = scene;
    if (shake > 0.2) {
      pen.translate((Math.random() - 0.5) * 2 * shake, (Math.random() - 0.5) * 2 * shake);
    }
    drawFalling(pen, camera, scene, 'far', now);
    drawPlatform(pen, camera, this.edge(frame, source, now), palette);
    drawTrails(pen, camera, scene);
    const standing = frame.discs
      .map((disc, slot) => ({ disc, slot }))
      .filter(({ disc }) => disc.standing)
      .toSorted((a, b) => a.disc.y - b.disc.y);
    for (const { disc } of standing) drawShadow(pen, camera, disc, palette);
    const own = frame.discs[source.mySlot];
    if (own?.standing) {
      drawOwn(pen, camera, own, 1 - own.dashIn / source.options.dashCooldownTicks, palette);
      if (view.aim) drawAim(pen, camera, own, view.aim, palette);
    }
    for (const { disc, slot } of standing) drawDisc(pen, camera, slot, disc, STANDING);
    drawFlashes(pen, camera, scene, palette, now);
    drawFalling(pen, camera, scene, 'near', now);
    drawSparks(pen, camera, scene, palette, now);
    if (view.names) {
      for (const { disc, slot } of standing) {
        const name = source.seats[slot]?.name ?? '';
        drawName(pen, camera, disc, name, slot === source.mySlot, palette);
      }
    }
    drawFloating(pen, camera, scene, palette, now);
  }

  private edge(frame: Frame, { options }: MatchSource, now: number): Edge {
    const { radius, tick } = frame;
    const goes = radiusAt(tick, options) - radiusAt(tick + WARNED_TICKS, options);
    const pulse = this.scene.calm ? 0.5 : 0.5 + 0.5 * Math.sin(now / 260);
    return { radius, next: Math.max(0, radius - goes), pulse };
  }
}
