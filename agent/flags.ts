import { usageError } from './exit.ts'
import { type Kind, parseValue } from './values.ts'

/** A flag's value; nothing where it is not given. Durations are in milliseconds. @throws CommandError that names the flag */
export function numberFlag(
  kind: Extract<Kind, 'duration' | 'count'>,
  flag: string,
  text: unknown,
): number | undefined {
  if (text === undefined) return undefined
  try {
    return parseValue(kind, text) as number
  } catch (error) {
    throw usageError(`${flag}: "${text}" ${(error as Error).message}`)
  }
}
