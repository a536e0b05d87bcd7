import { expect, test } from 'vitest'
import { languageOf } from './languages.tsx'

test('the first language that there is counts, whatever its region', () => {
  expect(languageOf(['fr-CA', 'ja-JP', 'en'])).toBe('ja')
  expect(languageOf(['zh-Hant-TW'])).toBe('zh')
  expect(languageOf(['EN-us', 'zh'])).toBe('en')
})

test('who asks for none that there is reads English', () => {
  expect(languageOf(['fr', 'de'])).toBe('en')
  expect(languageOf([])).toBe('en')
})
