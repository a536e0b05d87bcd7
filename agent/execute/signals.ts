import type { Stopper } from './stopper.ts'

const FORWARDED: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Passes this process's signals on to a run. @returns makes them its own again */
export function forwardSignals(stopper: Stopper): () => void {
  const handlers = FORWARDED.map(signal => [signal, () => stopper.forward(signal)] as const)
  for (const [signal, handler] of handlers) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
  }
}
