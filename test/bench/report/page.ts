import type { Machine } from '../machine.ts'
import type { Results, ScenarioResult } from '../results.ts'
import { table } from '../statistics.ts'
import { describeChart, drawBarChart } from './bar-chart.ts'
import { chartsOf } from './charts.ts'
import { comparisonRows } from './columns.ts'
import { summaryRows } from './summary.ts'

/** The document and its charts, from nothing but results. */
export interface Report {
  /** Markdown, not formatted yet. */
  readonly page: string
  /** SVG by file name. */
  readonly charts: ReadonlyMap<string, string>
}

const INTRODUCTION = `# Performance

\`npm run build && npm run bench -- --write\` writes this page, in about ten minutes. It measures this server beside NATS
JetStream (\`nats-server\`) and Redis Streams (\`redis-server\`) in one run on one machine, with the same connections,
requests under way, payload and acknowledgement. \`--install\` fetches the two from Debian where they are missing; what is
not installed is left out. Without \`--write\` the tables are printed only.`

const METHOD = `## How it is measured

- Servers start anew for each table, and for each payload and number of connections, with default settings but for what
  a table says, and with their data in a temporary folder. In every round each has its turn, so that a slow minute hits
  all alike. The disk is synced before each turn.
- A number is the median of the rounds; _spread_ is how far the farthest round lies from it. Latencies are percentiles of
  a round, and then the median over the rounds. Each run begins with a warm-up that does not count.
- The load generator is one process with all connections, the same for all servers. It sends requests that were encoded
  in advance, with UUIDs as request ids, only counts the answers, and measures their time. With four cores or more, two
  processes share the connections.
- _client CPU_ is what the generator used of one core, and whether that is more than 90 %: then the generator may be the
  limit, not the server. CPU time per message and memory are the server's own all the same.
- _CPU µs/message_ is user and system time of all threads of the server, from \`/proc\`. _peak MiB_ is its largest resident
  memory in the measured time (VmHWM). Redis holds all messages in memory; it rewrites its append-only file in a process
  of its own, which counts in neither.
- _MB/s_ is payload alone, in millions of bytes.`

function machineTable(machine: Machine): string {
  const rows = [
    ['', ''],
    ['date', machine.date],
    ['processor', `${machine.processor}, ${machine.cores} cores`],
    ['memory', `${machine.memoryGib} GiB`],
    ['system', machine.system],
    ['file system of the data', machine.fileSystem],
    ['Node.js', machine.node],
    ['stream-manager', machine.streamManager],
    ['nats-server', machine.nats ?? 'not installed'],
    ['redis-server', machine.redis ?? 'not installed']
  ]
  return `## The machine\n\nThe servers, the load generator and the destinations share its cores.\n\n${table(rows)}`
}

/** The table of a scenario, as Markdown. */
export function resultTable({ data }: ScenarioResult): string {
  return table(data.kind === 'table' ? data.rows : comparisonRows(data.shape, data.axis, data.measurements))
}

/** A scenario with its charts, as Markdown. */
function section(result: ScenarioResult): string {
  const images = [...chartsOf(result)].map(
    ([file, chart]) => `![${describeChart(chart).replaceAll(/[[\]]/g, '')}](performance/${file}.svg)`
  )
  const note = result.note === undefined ? [] : [result.note]
  return [`### ${result.title}`, ...images, resultTable(result), ...note, result.method].join('\n\n')
}

const HOW_TO_REPEAT = `## Repeating and extending it

\`npm run bench -- --seconds 5 --rounds 5 pipelined sizes\` measures some scenarios for longer; with \`--write\` only their
sections change. \`--full\` lets a store grow to 10 GiB, measures all exports too and takes about an hour.
\`npm run bench -- exports\` measures exports alone, \`npm run bench -- micro\` single parts in one process without a server.
\`--help\` lists everything.`

/** Everything that is written to docs/. */
export function makeReport(results: Results): Report {
  const { machine, scenarios } = results
  const summary = summaryRows(results)
  const parts = [
    INTRODUCTION,
    ...(machine === undefined ? ['Nothing has been measured yet.'] : []),
    ...(summary.length > 1 ? [`## In short\n\n${table(summary)}`] : []),
    METHOD,
    ...(machine === undefined ? [] : [machineTable(machine)]),
    ...(scenarios.length === 0 ? [] : [`## Results`]),
    ...scenarios.map(section),
    HOW_TO_REPEAT
  ]
  const charts = scenarios.flatMap((result) =>
    [...chartsOf(result)].map(([file, chart]) => [`${file}.svg`, drawBarChart(chart)] as const)
  )
  return { page: `${parts.join('\n\n')}\n`, charts: new Map(charts) }
}
