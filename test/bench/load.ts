/** The load generator: a process of its own, so that its work is not counted as the server's. Prints an Outcome as JSON. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { APPEND_STREAM, type Job, makePayload, type Outcome, PEERS, PRELOADED_MESSAGES, READ_STREAM } from './job.ts'
import { type Appender, FRAMES } from './peers/peer.ts'
import { cpuSeconds, residentMib } from './process-usage.ts'
import { percentile } from './statistics.ts'

/** Compilers, caches and connections settle before the measured time begins. */
const WARM_UP_SECONDS = 1
const LATENCIES_MAX = 4_000_000
/** Requests under way while reading: one is answered while the next one travels. */
const READS_IN_FLIGHT = 2
/** Appends beside the reads: so many per interval, as long as the server keeps up. */
const BACKGROUND = { intervalMs: 2, perInterval: 10, inFlightMax: 100 }

/** Counts messages and latencies inside the measured time. */
function createMeter(serverPid: number | undefined, seconds: number) {
  const latenciesUs = new Float64Array(LATENCIES_MAX)
  let latencies = 0
  let messages = 0
  let fromMs = Infinity
  let cpuFrom = 0
  const cpu = (): number => (serverPid === undefined ? NaN : cpuSeconds(serverPid))
  return {
    begin() {
      fromMs = performance.now()
      cpuFrom = cpu()
    },
    add(count: number) {
      if (performance.now() >= fromMs) messages += count
    },
    addLatency(latencyMs: number) {
      if (latencies < LATENCIES_MAX && fromMs !== Infinity) latenciesUs[latencies++] = latencyMs * 1000
    },
    finish(): Outcome {
      const measuredSeconds = (performance.now() - fromMs) / 1000
      if (measuredSeconds < seconds * 0.9 || messages === 0) throw new Error('the run measured too little')
      const samples = latenciesUs.subarray(0, latencies)
      return {
        messagesPerSecond: messages / measuredSeconds,
        cpuPerMessageUs: ((cpu() - cpuFrom) / messages) * 1e6,
        residentMib: serverPid === undefined ? NaN : residentMib(serverPid),
        p50Us: percentile(samples, 0.5),
        p99Us: percentile(samples, 0.99)
      }
    }
  }
}

type Meter = ReturnType<typeof createMeter>

/** Keeps `inFlight` requests under way on one connection: every acknowledgement is followed by a new request. */
function keepAppending(appender: Appender, inFlight: number, meter: Meter): void {
  const frameBytes = appender.frames.length / FRAMES
  const sentAtMs = new Float64Array(FRAMES)
  let sent = 0
  let acknowledged = 0
  const send = (count: number): void => {
    const nowMs = performance.now()
    for (let left = count; left > 0;) {
      const slot = sent % FRAMES
      const run = Math.min(left, FRAMES - slot)
      sentAtMs.fill(nowMs, slot, slot + run)
      appender.socket.write(appender.frames.subarray(slot * frameBytes, (slot + run) * frameBytes))
      sent += run
      left -= run
    }
  }
  appender.socket.on('data', (chunk: Buffer) => {
    const count = appender.countAcknowledgements(chunk)
    const nowMs = performance.now()
    for (let index = 0; index < count; index += 1) meter.addLatency(nowMs - sentAtMs[acknowledged++ % FRAMES]!)
    meter.add(count)
    send(count)
  })
  send(inFlight)
}

async function append(job: Extract<Job, { kind: 'append' }>): Promise<Outcome> {
  const meter = createMeter(job.serverPid, job.seconds)
  const payload = makePayload()
  for (let index = 0; index < job.connections; index += 1) {
    keepAppending(await PEERS[job.peer].openAppender(job.port, APPEND_STREAM, payload), job.inFlight, meter)
  }
  return measure(meter, job.seconds)
}

async function read(job: Extract<Job, { kind: 'read' }>): Promise<Outcome> {
  const { openReader, openAppender } = PEERS[job.peer]
  if (openReader === undefined) throw new Error(`${job.peer} cannot be read`)
  const meter = createMeter(job.serverPid, job.seconds)
  const payload = makePayload()
  const appender = await openAppender(job.port, APPEND_STREAM, payload)
  appendInBackground(appender)
  const reader = await openReader(job.port, READ_STREAM, payload, PRELOADED_MESSAGES)
  const sentAtMs: number[] = []
  const send = (count: number): void => {
    for (let index = 0; index < count; index += 1) {
      sentAtMs.push(performance.now())
      reader.socket.write(reader.nextRequest())
    }
  }
  reader.socket.on('data', (chunk: Buffer) => {
    const { messages, batches } = reader.feed(chunk)
    meter.add(messages)
    for (let index = 0; index < batches; index += 1) meter.addLatency(performance.now() - sentAtMs.shift()!)
    send(batches)
  })
  send(READS_IN_FLIGHT)
  return measure(meter, job.seconds)
}

function appendInBackground(appender: Appender): void {
  const frameBytes = appender.frames.length / FRAMES
  let sent = 0
  let acknowledged = 0
  appender.socket.on('data', (chunk: Buffer) => (acknowledged += appender.countAcknowledgements(chunk)))
  setInterval(() => {
    const count = Math.min(BACKGROUND.perInterval, BACKGROUND.inFlightMax - (sent - acknowledged))
    for (let index = 0; index < count; index += 1) {
      const slot = sent++ % FRAMES
      appender.socket.write(appender.frames.subarray(slot * frameBytes, (slot + 1) * frameBytes))
    }
  }, BACKGROUND.intervalMs)
}

function measure(meter: Meter, seconds: number): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    setTimeout(() => meter.begin(), WARM_UP_SECONDS * 1000)
    setTimeout(
      () => {
        try {
          resolve(meter.finish())
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      },
      (WARM_UP_SECONDS + seconds) * 1000
    )
  })
}

/** One write and one sync per message, in a single file: what a server without group commit could do at best. */
function fdatasync(job: Extract<Job, { kind: 'fdatasync' }>): Outcome {
  const meter = createMeter(undefined, job.seconds)
  const path = join(job.folder, 'fdatasync')
  const file = openSync(path, 'w')
  const payload = makePayload()
  const once = (): void => {
    const startMs = performance.now()
    writeSync(file, payload)
    fdatasyncSync(file)
    meter.addLatency(performance.now() - startMs)
    meter.add(1)
  }
  for (let index = 0; index < 100; index += 1) once()
  meter.begin()
  for (const endMs = performance.now() + job.seconds * 1000; performance.now() < endMs;) once()
  closeSync(file)
  rmSync(path)
  return meter.finish()
}

async function run(job: Job): Promise<Outcome> {
  switch (job.kind) {
    case 'append':
      return append(job)
    case 'read':
      return read(job)
    case 'fdatasync':
      return fdatasync(job)
  }
}

// Servers close connections in their own ways when the load stops: that is no error.
process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2]!) as Job)), () => process.exit(0))
