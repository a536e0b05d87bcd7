import { en, type Messages } from './en.ts'

/** The texts in the reader's language. */
export function useMessages(): Messages {
  return en
}

export type { Messages }
