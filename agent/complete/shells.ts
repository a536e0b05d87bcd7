import { textFile } from '../form.ts'

export const SHELLS = ['bash', 'zsh', 'fish']

/**
 * What a shell runs to complete a word: it hands the words to `keruta completion candidates` and offers what that answers, a
 * candidate a line with what it is after a tab. Where keruta cannot answer there is nothing to offer, and nothing is said.
 */
export function completionFor(shell: string): string {
  return textFile(`complete/shell/keruta.${shell}`).trimEnd()
}
