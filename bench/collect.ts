/** Loaded into the gateway for `memory`, which runs it with --expose-gc: collects garbage when it is told to. */
const { gc } = globalThis;
if (gc === undefined) throw new Error('needs --expose-gc');
process.on('SIGUSR2', () => {
  gc();
  // Twice: what the first one finds dead may have held others that only a second one frees.
  gc();
});
