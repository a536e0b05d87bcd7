'use client'

import { NativeSelect } from '@mantine/core'
import { LANGUAGE_NAMES, LANGUAGES, type LanguageChoice, useLanguageChoice } from '../messages/languages.tsx'
import { useMessages } from '../messages/use-messages.ts'

/** The language of the console, each under its own name. */
export function LanguageSelect() {
  const text = useMessages().language
  const [choice, choose] = useLanguageChoice()
  return (
    <NativeSelect
      label={text.label}
      w="fit-content"
      value={choice}
      onChange={event => choose(event.currentTarget.value as LanguageChoice)}
      data={[
        { value: 'auto', label: text.auto },
        ...LANGUAGES.map(value => ({ value, label: LANGUAGE_NAMES[value] })),
      ]}
    />
  )
}
