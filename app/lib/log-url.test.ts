import { expect, it } from 'vitest'
import {
  filterParams,
  isFiltered,
  isSparse,
  readAddress,
  withoutBadPattern,
  writeAddress,
} from './log-url.ts'

const read = (query: string) => readAddress(new URLSearchParams(query))

it('keeps the whole view in the address', () => {
  const query =
    'source=stdout%2Cstderr&level=WARN%2CERROR&search=a%26b&regex=true&caseSensitive=true&from=2024-01-01T00%3A00%3A00.000Z'
  expect(writeAddress(read(query)).toString()).toBe(query)
})

it('leaves out what is unknown, and takes names in any case and repeated', () => {
  const address = read('level=error&level=NOISE,debug&source=disk&from=yesterday')
  expect(address).toMatchObject({ level: ['DEBUG', 'ERROR'], source: [], from: '' })
})

it('reads a period that ends before it begins the other way round', () => {
  const turned = read('from=2024-01-02T00:00:00Z&to=2024-01-01T00:00:00Z')
  expect(turned).toEqual(read('from=2024-01-01T00:00:00Z&to=2024-01-02T00:00:00Z'))
})

it('keeps parameters that are not its own', () => {
  expect(writeAddress(read('level=ERROR'), new URLSearchParams('tab=x&level=INFO')).toString()).toBe(
    'tab=x&level=ERROR',
  )
})

it('does not filter by a text that is only looked for', () => {
  const address = read('regex=true&find=boom')
  expect(filterParams(address)).toEqual({})
  expect(isFiltered(address)).toBe(false)
  expect(writeAddress(address).toString()).toBe('regex=true&find=boom')
})

it('knows which filters the live stream applies', () => {
  expect(isSparse(read('from=2024-01-01T00:00:00Z'))).toBe(false)
  expect(isSparse(read('search=x'))).toBe(true)
})

it('sends no pattern that does not compile, and keeps it for the reader to mend', () => {
  const address = read('search=(&regex=true&level=ERROR')
  expect(filterParams(withoutBadPattern(address))).toEqual({ level: 'ERROR' })
  expect(writeAddress(address).get('search')).toBe('(')
  expect(withoutBadPattern(read('search=('))).toMatchObject({ search: '(' })
})

it('remembers how text is meant before there is any', () => {
  expect(writeAddress(read('regex=true&caseSensitive=true')).toString()).toBe('regex=true&caseSensitive=true')
})
