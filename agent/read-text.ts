import { readFileSync } from 'node:fs'
import { usageError } from './exit.ts'

/**
 * A file's text; of stdin where the path is `-`.
 * @param what it is, for the message where it cannot be read
 * @param advice what else may have been meant where there is no such file
 */
export function readText(path: string, what: string, advice?: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason =
      code === 'ENOENT' ? ['no such file or directory', advice].filter(Boolean).join('; ') : message
    throw usageError(`the ${what} ${path} cannot be read: ${reason}`)
  }
}
