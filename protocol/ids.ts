import { z } from 'zod'
import { ID_PATTERN, uuidv7 } from './id-text.ts'

export { ID_PATTERN, uuidv7 }

export const idSchema = z
  .string()
  .regex(ID_PATTERN, 'must be 1 to 128 characters of A-Z a-z 0-9 . _ : - and start with a letter or digit')

/** An ISO 8601 instant with any offset; answers always use UTC with milliseconds. */
export const instantSchema = z.iso.datetime({
  offset: true,
  local: false,
  error: ({ input }) =>
    `must be an ISO 8601 time such as 2024-01-01T12:00:00Z${isUnescaped(input) ? ': in a URL + is written %2B' : ''}`,
})

/** Whether a plus sign was read as the space that it stands for in a URL. */
const isUnescaped = (input: unknown) => typeof input === 'string' && /\d \d\d:?\d\d$/.test(input)
