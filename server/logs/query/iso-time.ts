/** Makes `toISOString` texts of times that mostly rise: all but the milliseconds is made once a second. */
export function isoTimes(): (at: number) => string {
  let second = Number.NaN
  let prefix = ''
  let last = Number.NaN
  let text = ''
  return at => {
    if (at === last) return text
    const ms = at % 1000
    if (at - ms !== second) {
      second = at - ms
      prefix = new Date(second).toISOString().slice(0, -4)
    }
    last = at
    text = `${prefix}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`
    return text
  }
}
