import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends process groups when this process is gone, even by SIGKILL.
 *
 * The guard is a shell that reads our pipe. While we live it keeps the list we write to it; when
 * the pipe ends without `release`, we died: it sends SIGTERM to every group on the list, and
 * SIGKILL to what is left after `graceSeconds`. Where there is no POSIX shell (Windows) it guards
 * nothing.
 *
 * Only groups can be guarded: start them with `detached: true`, so that the group's id is the
 * child's pid. That also keeps a Ctrl-C in the terminal from reaching them before we say so.
 */
export interface Guard {
  readonly pid: number | undefined;
  add(pid: number): void;
  remove(pid: number): void;
  /** Ends the guard and leaves the groups alone. */
  release(): void;
}

const SCRIPT = `
pids=
while read -r word pid; do
  case $word in
    add) pids="$pids $pid" ;;
    remove) kept=; for p in $pids; do [ "$p" = "$pid" ] || kept="$kept $p"; done; pids=$kept ;;
    release) exit 0 ;;
  esac
done
for p in $pids; do kill -s TERM -- "-$p"; done
left=$1
while [ "$left" -gt 0 ]; do
  alive=
  for p in $pids; do kill -s 0 -- "-$p" && alive=1; done
  [ "$alive" ] || exit 0
  sleep 1
  left=$((left - 1))
done
for p in $pids; do kill -s KILL -- "-$p"; done
`;

export function startGuard({ graceSeconds }: { graceSeconds: number }): Guard {
  if (process.platform === 'win32') {
    return { pid: undefined, add() {}, remove() {}, release() {} };
  }
  const shell: ChildProcess = spawn('sh', ['-c', SCRIPT, 'guard', String(graceSeconds)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // A guard that could not start, or was killed, must not take the guarded program with it.
  shell.on('error', () => {});
  shell.stdin?.on('error', () => {});
  shell.unref();
  const say = (line: string): void => void shell.stdin?.write(`${line}\n`);
  return {
    pid: shell.pid,
    add: (pid) => say(`add ${pid}`),
    remove: (pid) => say(`remove ${pid}`),
    release: () => shell.stdin?.end('release\n'),
  };
}
