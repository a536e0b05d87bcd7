import { MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { openingError, storeError } from './errors.ts'

const answer = (code: number, errmsg: string) => new MongoServerError({ code, errmsg, message: errmsg })
const url = 'mongodb://me:secret@db:27017/keruta?authSource=admin'

describe('what MongoDB answers', () => {
  it.each([
    ['a lost connection', new MongoNetworkError('connection 3 to 10.0.0.1:27017 closed')],
    ['no majority in time', answer(64, 'waiting for replication timed out')],
    ['a primary that is none any more', answer(10107, 'not primary')],
    ['a right that was taken away', answer(13, 'not authorized on keruta')],
  ])('%s passes: the caller comes back', (_, error) => {
    expect(storeError(error)).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryAfterMs: 1000,
      message: expect.stringContaining(error.message),
      cause: error,
    })
  })

  it('tells of a full disk and of a document that is too large by their names', () => {
    expect(storeError(answer(14031, 'available disk space of 100 bytes'))).toMatchObject({
      code: 'DISK_FULL',
    })
    expect(storeError(answer(10334, 'BSONObj size: 17825792 is invalid'))).toMatchObject({
      code: 'TOO_LARGE',
    })
  })

  it('leaves mistakes of this program what they are', () => {
    const mistake = answer(9, 'unknown operator: $foo')
    expect(storeError(mistake)).toBe(mistake)
    expect(storeError(new TypeError('x'))).toBeInstanceOf(TypeError)
  })

  it('is one line for the operator at the start, without the password', () => {
    const login = new MongoServerSelectionError('Authentication failed.', {} as never)
    Object.defineProperty(login, 'cause', { value: answer(18, 'Authentication failed.') })
    const messages = [
      login,
      answer(13, 'not authorized'),
      new MongoNetworkError('getaddrinfo ENOTFOUND db'),
    ].map(error => (openingError(error, url, 'readWrite') as Error).message)
    expect(messages).toEqual([
      'MongoDB at mongodb://db:27017/keruta refuses the login: check user, password and authSource in its URL',
      'the user may not write to mongodb://db:27017/keruta: give it the role readWrite',
      'MongoDB at mongodb://db:27017/keruta cannot be used: getaddrinfo ENOTFOUND db',
    ])
  })
})
