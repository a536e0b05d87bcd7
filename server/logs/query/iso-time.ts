/** Makes `toISOString` texts of times that mostly rise: all but the milliseconds is made once a second. */
export function isoTimes(): (at: number) => string {
  let second = Number.NaN
  let prefix = ''
  return at => {
    const ms = at % 1000
    if (at - ms !== second) {
      second = at - ms
      prefix = new Date(second).toISOString().slice(0, -4)
    }
    return `${prefix}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`
  }
}
