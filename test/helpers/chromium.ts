import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

/** How a page is looked at. */
export interface Look {
  readonly width: number
  readonly height: number
  readonly isDark?: boolean
}

/** A tab of a real browser. */
export interface BrowserPage {
  /** Evaluates an expression in the page; what it returns must be JSON. */
  evaluate<Value>(expression: string): Promise<Value>
  /** Resolves once the expression is true; rejects with what the page shows when it does not become so. */
  until(expression: string): Promise<void>
  /** Presses and releases a key: `Tab`, `Enter`, or a character. */
  press(key: string): Promise<void>
  look(look: Look): Promise<void>
  /** Writes what is visible, or the whole page, as PNG. */
  screenshot(path: string, isWhole?: boolean): Promise<void>
  /** Role and name of everything that a screen reader is told of. */
  accessibleNodes(): Promise<readonly { readonly role: string; readonly name: string }[]>
  /** Errors and refusals by the content security policy that the page has met. */
  readonly complaints: readonly string[]
  /** Addresses that were asked for. */
  readonly requests: readonly string[]
}

export interface Browser {
  open(url: string, look: Look): Promise<BrowserPage>
  close(): Promise<void>
}

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--hide-scrollbars',
  '--remote-debugging-pipe'
]
const PATIENCE_MS = 30_000
const LOOK_AGAIN_MS = 50

type Json = Readonly<Record<string, unknown>>
interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params?: Json
  readonly result?: Json
  readonly error?: { readonly message: string }
}

/** The DevTools protocol over a pair of pipes: JSON texts with a zero byte behind each. */
function openProtocol(child: ChildProcess): {
  call: (method: string, params?: Json, sessionId?: string) => Promise<Json>
  listen: (listener: (message: Message) => void) => void
} {
  const [, , , commands, answers] = child.stdio as unknown as [null, Readable, Readable, Writable, Readable]
  const waiting = new Map<number, { resolve: (result: Json) => void; reject: (error: Error) => void }>()
  const listeners: ((message: Message) => void)[] = []
  let buffered = ''
  let last = 0
  const take = (text: string): void => {
    const message = JSON.parse(text) as Message
    const call = message.id === undefined ? undefined : waiting.get(message.id)
    if (message.id !== undefined) waiting.delete(message.id)
    if (call === undefined) for (const listener of listeners) listener(message)
    else if (message.error === undefined) call.resolve(message.result ?? {})
    else call.reject(new Error(message.error.message))
  }
  answers.setEncoding('utf8').on('data', (chunk: string) => {
    const texts = (buffered + chunk).split('\0')
    buffered = texts.pop() ?? ''
    for (const text of texts) take(text)
  })
  commands.on('error', () => undefined)
  child.on('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the browser has ended'))
  })
  return {
    call: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        last += 1
        waiting.set(last, { resolve, reject })
        commands.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`)
      }),
    listen: (listener) => void listeners.push(listener)
  }
}

/** Path of the installed Chromium; undefined where there is none. */
export function findBrowser(): string | undefined {
  return PATHS.find((candidate) => existsSync(candidate))
}

/** Starts Chromium without a window; whoever does closes it. @throws Error when it is not installed */
export function openBrowser(): Browser {
  const path = findBrowser()
  if (path === undefined) throw new Error('Chromium is not installed: apt-get install chromium')
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'))
  const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] as const
  const child = spawn(path, [...ARGUMENTS, `--user-data-dir=${profile}`], { stdio: [...stdio] })
  const ended = once(child, 'close')
  const protocol = openProtocol(child)
  return {
    async open(url, look) {
      const { targetId } = await protocol.call('Target.createTarget', { url: 'about:blank' })
      const { sessionId } = await protocol.call('Target.attachToTarget', { targetId, flatten: true })
      return openPage(protocol, sessionId as string, url, look)
    },
    async close() {
      // Its helpers write into the profile until they have been told.
      await protocol.call('Browser.close').catch(() => undefined)
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

const KEYS: Readonly<Record<string, Json>> = {
  Tab: { key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9 },
  Enter: { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' },
  ' ': { key: ' ', code: 'Space', windowsVirtualKeyCode: 32, text: ' ' }
}

async function openPage(
  protocol: ReturnType<typeof openProtocol>,
  sessionId: string,
  url: string,
  firstLook: Look
): Promise<BrowserPage> {
  const call = (method: string, params?: Json): Promise<Json> => protocol.call(method, params, sessionId)
  const complaints: string[] = []
  const requests: string[] = []
  protocol.listen(({ method, params = {}, sessionId: from }) => {
    if (from !== sessionId) return
    if (method === 'Network.requestWillBeSent') requests.push((params['request'] as { url: string }).url)
    if (method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params['exceptionDetails']))
    if (method === 'Log.entryAdded') complaints.push((params['entry'] as { text: string }).text)
  })
  const page: BrowserPage = {
    complaints,
    requests,
    async evaluate<Value>(expression: string) {
      const options = { expression, returnByValue: true, awaitPromise: true }
      const { result, exceptionDetails } = await call('Runtime.evaluate', options)
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
      return (result as { value: Value }).value
    },
    async until(expression) {
      const deadlineMs = performance.now() + PATIENCE_MS
      while (!(await page.evaluate<boolean>(`Boolean(${expression})`))) {
        if (performance.now() > deadlineMs)
          throw new Error(`not so in time: ${expression}\n${await page.evaluate<string>('document.body?.innerText')}`)
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
      }
    },
    async press(key) {
      const described = KEYS[key] ?? { key, text: key }
      await call('Input.dispatchKeyEvent', { type: 'keyDown', ...described })
      await call('Input.dispatchKeyEvent', { type: 'keyUp', ...described, text: undefined })
    },
    async look({ width, height, isDark = false }) {
      await call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 })
      const features = [{ name: 'prefers-color-scheme', value: isDark ? 'dark' : 'light' }]
      await call('Emulation.setEmulatedMedia', { features })
    },
    async screenshot(path, isWhole = false) {
      const { data } = await call('Page.captureScreenshot', { format: 'png', captureBeyondViewport: isWhole })
      writeFileSync(path, Buffer.from(data as string, 'base64'))
    },
    async accessibleNodes() {
      const { nodes } = await call('Accessibility.getFullAXTree')
      const all = nodes as { ignored: boolean; role?: { value: string }; name?: { value: string } }[]
      return all
        .filter(({ ignored }) => !ignored)
        .map(({ role, name }) => ({ role: role?.value ?? '', name: name?.value ?? '' }))
    }
  }
  for (const domain of ['Page', 'Runtime', 'Network', 'Log', 'Accessibility']) await call(`${domain}.enable`)
  await page.look(firstLook)
  await call('Page.navigate', { url })
  await page.until("document.readyState === 'complete' && location.href !== 'about:blank'")
  return page
}
