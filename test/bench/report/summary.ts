import type { Measurement } from '../compare.ts'
import type { Results } from '../results.ts'
import { SLOW_SYNC_MS } from '../slow-sync.ts'
import { readable } from '../statistics.ts'

/** The measured rows of a comparison; none when it was not measured. */
function rowsOf({ scenarios }: Results, name: string): readonly Measurement[] {
  const data = scenarios.find((scenario) => scenario.name === name)?.data
  return data?.kind === 'comparison' ? data.measurements : []
}

function find(rows: readonly Measurement[], server: string, load?: string): Measurement | undefined {
  return rows.find((row) => row.server.startsWith(server) && (load === undefined || row.load === load))
}

type Line = readonly [what: string, value: string]

/** How two rows compare; nothing when one of them is missing. */
function compared(
  what: string,
  own: Measurement | undefined,
  other: Measurement | undefined,
  value: (row: Measurement) => number | undefined
): Line[] {
  const [ours, theirs] = [own && value(own), other && value(other)]
  if (ours === undefined || theirs === undefined) return []
  return [[what, `${readable(ours)} to ${readable(theirs)}: ${readable(ours / theirs)} ×`]]
}

const rate = (row: Measurement): number => row.rate.median
const cpu = (row: Measurement): number | undefined => row.cpuUs?.median
const p50 = (row: Measurement): number => row.p50Us

/** The few figures that decide, as a table; the first row is its heading. */
export function summaryRows(results: Results): string[][] {
  const pipelined = rowsOf(results, 'pipelined')
  const synchronous = rowsOf(results, 'synchronous')
  const flush = rowsOf(results, 'flush')
  const slowFlush = rowsOf(results, 'slow-flush')
  const read = rowsOf(results, 'read')
  const own = 'stream-manager'
  const against = (name: string): Line[] => [
    ...compared(`pipelined appends, messages/s, to ${name}`, find(pipelined, own), find(pipelined, name), rate),
    ...compared(`pipelined appends, CPU µs/message, to ${name}`, find(pipelined, own), find(pipelined, name), cpu)
  ]
  const lines: Line[] = [
    ...against('nats-server'),
    ...against('redis-server'),
    ...compared(
      'one synchronous client, p50 µs, to a bare TCP echo',
      find(synchronous, own),
      find(synchronous, 'bare'),
      p50
    ),
    ...compared(
      'one synchronous client, p50 µs, to nats-server',
      find(synchronous, own),
      find(synchronous, 'nats-server'),
      p50
    ),
    ...compared(
      'flushOnWrite with 16 clients, messages/s, to one fdatasync per message',
      find(flush, own, '16 × 1'),
      find(flush, 'one fdatasync'),
      rate
    ),
    ...compared(
      `the same with syncs that take ${SLOW_SYNC_MS} ms longer`,
      find(slowFlush, own, '16 × 1'),
      find(slowFlush, 'one fdatasync'),
      rate
    ),
    ...compared(
      'reads of 1,000 messages, messages/s, to nats-server',
      find(read, own, '1,000'),
      find(read, 'nats-server', '1,000'),
      rate
    )
  ]
  return [['', 'this server to the other'], ...lines.map(([what, value]) => [what, value])]
}
