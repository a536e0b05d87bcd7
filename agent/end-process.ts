import { collector } from './collector.ts'
import { optimize } from './optimize.ts'

/**
 * Ends this process. Node waits for what V8 compiles in the background, and that may wait for a collection of garbage, which nobody
 * makes any more: such a process would hang at its end (nodejs/node#54918). So nothing new is compiled, and garbage is collected once more.
 */
export function endProcess(exitCode: number): never {
  optimize(false)
  collector()()
  process.exit(exitCode)
}
