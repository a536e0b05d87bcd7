import { createInterface } from 'node:readline/promises'
import { usageError } from '../exit.ts'

/** Asks whoever sits at the terminal. @throws CommandError where nobody does */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw usageError(`${question} Nobody can be asked here: say --yes`)
  const dialog = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^(y|yes)$/i.test((await dialog.question(`${question} [y/N] `)).trim())
  } finally {
    dialog.close()
  }
}
