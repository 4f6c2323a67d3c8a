/**
 * How long is waited for what is bound to happen before it counts as never, ms. No measure of speed: a machine that builds
 * beside the tests may need many times what a quiet one does.
 */
export const HANGS_MS = 60_000;
