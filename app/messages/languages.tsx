'use client'

import { useLocalStorage, useMounted } from '@mantine/hooks'
import { createContext, type ReactNode, useEffect } from 'react'
import { en, type Messages } from './en.ts'
import { ja } from './ja.ts'
import { zh } from './zh.ts'

export const LANGUAGES = ['en', 'ja', 'zh'] as const
export type Language = (typeof LANGUAGES)[number]
export type LanguageChoice = Language | 'auto'

/** How each language calls itself. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', ja: '日本語', zh: '简体中文' }

const MESSAGES: Record<Language, Messages> = { en, ja, zh }
/** As `lang` says it, by which browsers choose the shapes of shared characters. */
const TAGS: Record<Language, string> = { en: 'en', ja: 'ja', zh: 'zh-Hans' }
const KEY = 'keruta-language'

export const MessagesContext = createContext<Messages>(en)

/** The language that this reader has chosen in this browser; `auto` for the browser's own. */
export const useLanguageChoice = () =>
  useLocalStorage<LanguageChoice>({ key: KEY, defaultValue: 'auto', deserialize, serialize: value => value })

/** Gives what is below it its texts. What the server has drawn is English; the reader's language follows when the page is alive. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const [choice] = useLanguageChoice()
  const mounted = useMounted()
  const language = !mounted ? 'en' : choice === 'auto' ? languageOf(navigator.languages) : choice
  useEffect(() => {
    document.documentElement.lang = TAGS[language]
  }, [language])
  return <MessagesContext value={MESSAGES[language]}>{children}</MessagesContext>
}

/** The first language asked for that there is; English where there is none. */
export function languageOf(wanted: readonly string[]): Language {
  const known = wanted.map(tag => LANGUAGES.find(language => tag.toLowerCase().split('-')[0] === language))
  return known.find(language => language !== undefined) ?? 'en'
}

function deserialize(stored: string | undefined): LanguageChoice {
  return LANGUAGES.find(language => language === stored) ?? 'auto'
}
