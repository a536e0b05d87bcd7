import { useContext } from 'react'
import type { Messages } from './en.ts'
import { MessagesContext } from './languages.tsx'

/** The texts in the reader's language. */
export function useMessages(): Messages {
  return useContext(MessagesContext)
}

export type { Messages }
