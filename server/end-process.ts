import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Ends this process. Node waits for what V8 compiles in the background, and that may wait for a collection of garbage, which nobody
 * makes any more: such a process would hang at its end (nodejs/node#54918). So nothing new is compiled, and garbage is collected once more.
 */
export function endProcess(exitCode: number): never {
  for (const flag of ['--no-opt', '--no-maglev', '--expose-gc']) setFlagsFromString(flag)
  runInNewContext('gc')()
  process.exit(exitCode)
}
