const FRAME_MS = 16
const HIDDEN_MS = 250

/**
 * Calls `flush` soon after `request`: at once after a quiet time, else once an animation frame, so that a single line shows without
 * delay and a flood costs one update a frame. In a hidden tab, where no frames are drawn, four times a second.
 */
export function createFlushTimer(flush: () => void): { request(): void; cancel(): void } {
  let last = Number.NEGATIVE_INFINITY
  let cancelWaiting: (() => void) | undefined

  const run = () => {
    cancelWaiting?.()
    cancelWaiting = undefined
    last = performance.now()
    flush()
  }
  return {
    request() {
      if (cancelWaiting) return
      if (document.hidden) {
        const timer = setTimeout(run, HIDDEN_MS)
        cancelWaiting = () => clearTimeout(timer)
      } else if (performance.now() - last > FRAME_MS) {
        run()
      } else {
        const frame = requestAnimationFrame(run)
        // Frames stop when the tab is hidden in between; the timer goes on.
        const timer = setTimeout(run, HIDDEN_MS)
        cancelWaiting = () => {
          cancelAnimationFrame(frame)
          clearTimeout(timer)
        }
      }
    },
    cancel() {
      cancelWaiting?.()
      cancelWaiting = undefined
    },
  }
}
