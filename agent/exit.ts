/** How every command ends; `execute` passes on its child's own code. */
export const EXIT = { success: 0, failure: 1, usage: 2, unreachable: 3, refused: 4 } as const

/** The one class for expected failures: what went wrong and what to do, in one line, and the exit code. */
export class CommandError extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CommandError'
    this.exitCode = exitCode
  }
}

export function usageError(message: string): CommandError {
  return new CommandError(EXIT.usage, message)
}

/** An error as a line for stderr and an exit code. */
export function describeFailure(error: unknown): { message: string; exitCode: number } {
  if (error instanceof CommandError) return { message: error.message, exitCode: error.exitCode }
  const cause = error as NodeJS.ErrnoException
  return { message: cause.code ? cause.message : (cause.stack ?? String(error)), exitCode: EXIT.failure }
}
