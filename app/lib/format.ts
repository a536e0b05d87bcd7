const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `1.2 s`, `3m 05s`, `2h 07m`, `4d 3h`. */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m ${two(((ms % HOUR) / SECOND) % 60)}s`
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h ${two((ms % HOUR) / MINUTE)}m`
  return `${Math.floor(ms / DAY)}d ${Math.floor((ms % DAY) / HOUR)}h`
}

/** How long ago, coarsely: `42s`, `5m`, `3h`, `12d`; `now` for less than a second. */
export function age(ms: number, now: string): string {
  if (ms < SECOND) return now
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h`
  return `${Math.floor(ms / DAY)}d`
}

/** Time since a start, for a column: `+0.042`, `+12.345`, `+1:02:03.456`. */
export function offset(ms: number): string {
  const sign = ms < 0 ? '-' : '+'
  const whole = Math.abs(ms)
  const rest = `${Math.floor((whole % MINUTE) / SECOND)}.${String(Math.floor(whole % SECOND)).padStart(3, '0')}`
  if (whole < MINUTE) return sign + rest
  const minutes = Math.floor(whole / MINUTE) % 60
  const hours = Math.floor(whole / HOUR)
  return `${sign}${hours ? `${hours}:${two(minutes)}` : minutes}:${rest.padStart(6, '0')}`
}

/** Local time of day with milliseconds. */
export function clock(at: Date): string {
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

/** Local date, as ISO writes it. */
export function day(at: Date): string {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

export const dateTime = (at: Date): string => `${day(at)} ${clock(at)}`

const NUMBER = new Intl.NumberFormat('en-US')

export const count = (n: number): string => NUMBER.format(n)

/** `999`, `12.3k`, `4.5M`. */
export function shortCount(n: number): string {
  if (n < 10_000) return count(n)
  const [value, unit] = n < 999_500 ? [n / 1000, 'k'] : [n / 1_000_000, 'M']
  return `${value < 100 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)}${unit}`
}

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = n
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

const two = (n: number): string => String(Math.floor(n)).padStart(2, '0')
