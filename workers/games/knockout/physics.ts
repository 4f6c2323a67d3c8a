/** The only file that knows Rapier: discs in a world without gravity, by slot. */
import {
  ColliderDesc,
  init,
  type RigidBody,
  RigidBodyDesc,
  SerializationPipeline,
  World,
} from '@dimforge/rapier2d-compat';
import type { Disc } from './disc.ts';
import { DISC_RADIUS, type KnockoutOptions, TICK_RATE } from './rules.ts';

let ready: Promise<void> | undefined;

/** Compiles Rapier's WebAssembly, once per process (about 85 ms). */
export function preparePhysics(): Promise<void> {
  // Two calls of init side by side would make two instances, and objects of one fail in the other.
  ready ??= init();
  return ready;
}

let isInside = false;
let isBroken = false;

/** A call begins. One that never came to its end is not forgotten for those that do. */
function enter(): void {
  if (isInside) isBroken = true;
  isInside = true;
}

/**
 * Whether a call into Rapier was cut off, or trapped. All worlds of a process share one memory, and its allocator may
 * have been at work: none of them can be relied on from then on.
 */
export function isPhysicsDamaged(): boolean {
  return isInside || isBroken;
}

/** Handle of a slot that has no body: fallen, or never there. Rapier's own are never negative. */
const NO_BODY = -1;

export class Physics {
  private readonly world: World;
  private readonly bodies: (RigidBody | undefined)[];
  private readonly scratch = { x: 0, y: 0 };
  private freed = false;

  private constructor(world: World, bodies: (RigidBody | undefined)[]) {
    this.world = world;
    this.bodies = bodies;
  }

  /** A world with a body for each disc that is on the platform. */
  static create(discs: readonly Disc[], options: KnockoutOptions): Physics {
    enter();
    const world = new World({ x: 0, y: 0 });
    world.timestep = 1 / TICK_RATE;
    const bodies = discs.map((disc) => {
      if (disc.place !== 0) return undefined;
      const body = world.createRigidBody(
        RigidBodyDesc.dynamic()
          .setTranslation(disc.x, disc.y)
          .setLinvel(disc.vx, disc.vy)
          .setLinearDamping(options.damping)
          .lockRotations()
          .setCanSleep(false),
      );
      const ball = ColliderDesc.ball(DISC_RADIUS)
        .setMass(1)
        .setFriction(0)
        .setRestitution(options.restitution);
      world.createCollider(ball, body);
      return body;
    });
    isInside = false;
    return new Physics(world, bodies);
  }

  /** @throws RangeError when the snapshot is none of Rapier's, or lacks a body of `handles` */
  static restore(snapshot: Uint8Array, handles: readonly number[]): Physics {
    enter();
    const world = readWorld(snapshot);
    const bodies = handles.map((handle) =>
      handle === NO_BODY ? undefined : (world?.bodies.get(handle) ?? undefined),
    );
    const isWhole = bodies.every((body, slot) => body !== undefined || handles[slot] === NO_BODY);
    if (!isWhole) world?.free();
    isInside = false;
    if (world === undefined) throw new RangeError('not a snapshot of a physics world');
    if (!isWhole) throw new RangeError('the snapshot lacks a disc');
    return new Physics(world, bodies);
  }

  /** Changes a disc's speed, in m/s. */
  push(slot: number, x: number, y: number): void {
    this.scratch.x = x;
    this.scratch.y = y;
    enter();
    this.bodies[slot]?.applyImpulse(this.scratch, true);
    isInside = false;
  }

  step(): void {
    const w = this.world;
    enter();
    // world.step() does this and then looks for new soft bodies by callbacks out of WebAssembly,
    // a quarter of the whole cost; there are none here.
    w.physicsPipeline.step(
      w.gravity,
      w.integrationParameters,
      w.islands,
      w.broadPhase,
      w.narrowPhase,
      w.bodies,
      w.colliders,
      w.softBodies,
      w.impulseJoints,
      w.multibodyJoints,
      w.ccdSolver,
    );
    isInside = false;
  }

  /** Copies position and velocity into the disc; a slot without a body is left as it is. */
  read(slot: number, disc: Disc): void {
    const body = this.bodies[slot];
    if (!body) return;
    const { scratch } = this;
    enter();
    body.translation(scratch);
    disc.x = scratch.x;
    disc.y = scratch.y;
    body.linvel(scratch);
    isInside = false;
    disc.vx = scratch.x;
    disc.vy = scratch.y;
  }

  remove(slot: number): void {
    const body = this.bodies[slot];
    enter();
    if (body) this.world.removeRigidBody(body);
    isInside = false;
    this.bodies[slot] = undefined;
  }

  /** Rapier's handle per slot, as `restore` wants them. */
  handles(): number[] {
    return this.bodies.map((body) => body?.handle ?? NO_BODY);
  }

  snapshot(): Uint8Array {
    enter();
    const snapshot = this.world.takeSnapshot();
    isInside = false;
    return snapshot;
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    enter();
    this.world.free();
    isInside = false;
  }
}

/**
 * World.restoreSnapshot, but for 2 KB of WebAssembly memory that it leaves to finalizers, which come
 * too late for a loop of thousands of rollouts.
 */
function readWorld(snapshot: Uint8Array): World | undefined {
  const pipeline = new SerializationPipeline();
  const parts = pipeline.raw.deserializeAll(snapshot);
  pipeline.free();
  if (!parts) return undefined;
  const world = World.fromRaw(parts);
  parts.free();
  return world;
}
