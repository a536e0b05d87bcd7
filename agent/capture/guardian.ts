import { type ChildProcess, spawn } from 'node:child_process'

// TERM first, as any script may expect; what is still there two seconds later has no agent that would read on.
const SCRIPT = `trap '' INT TERM HUP
while read -r line; do group=$line; done
[ "$group" -gt 0 ] 2>/dev/null && kill -s TERM -- "-$group" 2>/dev/null && sleep 2 && kill -s KILL -- "-$group" 2>/dev/null`

let guardian: ChildProcess | undefined

/**
 * Sees to it that a process group ends with this process, also where that is killed: a small shell waits for the end of a pipe
 * that only this process holds. Who kills the shell too gets rid of this.
 * @returns the group may live on from now on
 */
export function guard(group: number): () => void {
  if (process.platform === 'win32') return () => {}
  guardian ??= start()
  const { stdin } = guardian
  stdin?.write(`${group}\n`)
  return () => void stdin?.write('0\n')
}

function start(): ChildProcess {
  const shell = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' })
  // Without a shell there is no guard; the script could not have been started either, most likely.
  shell.on('error', () => {})
  shell.stdin!.on('error', () => {})
  shell.on('exit', () => {
    guardian = undefined
  })
  shell.unref()
  ;(shell.stdin as unknown as { unref(): void }).unref()
  return shell
}
