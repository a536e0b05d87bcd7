import { readFileSync } from 'node:fs'
import { usageError } from './exit.ts'

/**
 * A file's text; of stdin where the path is `-`.
 * @param what it is, for the message where it cannot be read
 */
export function readText(path: string, what: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw usageError(
      `the ${what} ${path} cannot be read: ${code === 'ENOENT' ? 'no such file or directory' : message}`,
    )
  }
}
