import { usageError } from './exit.ts'

/** For options that may be repeated. */
export function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

/** `name=value` pairs as an object; nothing where there are none. @throws CommandError that names the flag */
export function pairs(flag: string, given: string[]): Record<string, string> | undefined {
  if (given.length === 0) return undefined
  return Object.fromEntries(
    given.map(pair => {
      const at = pair.indexOf('=')
      if (at < 1) throw usageError(`${flag} "${pair.slice(0, 80)}" must be name=value`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}
